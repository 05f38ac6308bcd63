"""Layers for the options of a model, in two or three dimensions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from napari_unet_seg.config import ModelConfig

_CONV: dict[int, type[nn.Conv2d | nn.Conv3d]] = {2: nn.Conv2d, 3: nn.Conv3d}
_TRANSPOSED: dict[int, type[nn.ConvTranspose2d | nn.ConvTranspose3d]] = {
    2: nn.ConvTranspose2d,
    3: nn.ConvTranspose3d,
}
_BATCH_NORM: dict[int, type[nn.Module]] = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
_INSTANCE_NORM: dict[int, type[nn.Module]] = {2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}
_DROPOUT: dict[int, type[nn.Module]] = {2: nn.Dropout2d, 3: nn.Dropout3d}
_MAX_POOL: dict[int, type[nn.Module]] = {2: nn.MaxPool2d, 3: nn.MaxPool3d}
_GROUPS = 8


def conv(
    config: ModelConfig,
    channels_in: int,
    channels_out: int,
    kernel: int,
    *,
    stride: int = 1,
    dilation: int = 1,
    padding: int = 0,
    bias: bool = True,
) -> nn.Module:
    """Convolution; (B, in, …) to (B, out, …)."""
    return _CONV[config.dimensions](
        channels_in,
        channels_out,
        kernel,
        stride=stride,
        dilation=dilation,
        padding=padding,
        bias=bias,
    )


def transposed(config: ModelConfig, channels_in: int, channels_out: int) -> nn.Module:
    """Transposed convolution of kernel and stride 2, which doubles the size."""
    return _TRANSPOSED[config.dimensions](channels_in, channels_out, kernel_size=2, stride=2)


def pool(config: ModelConfig) -> nn.Module:
    """Max or average pooling, which halves the size."""
    if config.downsampling == "max":
        return _MAX_POOL[config.dimensions](2)
    if config.dimensions == 2:
        return nn.AvgPool2d(2)
    # Interpolation to half the size takes the same mean, and supports bfloat16, unlike pooling.
    return nn.Upsample(scale_factor=0.5, mode="trilinear", align_corners=False)


def interpolation(config: ModelConfig) -> nn.Module:
    """Bilinear or trilinear interpolation to twice the size."""
    mode = {2: "bilinear", 3: "trilinear"}[config.dimensions]
    return nn.Upsample(scale_factor=2, mode=mode, align_corners=False)


def norm(config: ModelConfig, channels: int) -> list[nn.Module]:
    """Return the normalisation of a number of channels; an empty list under `none`."""
    if config.norm == "batch":
        return [_BATCH_NORM[config.dimensions](channels)]
    if config.norm == "group":
        return [nn.GroupNorm(math.gcd(_GROUPS, channels), channels)]
    if config.norm == "instance":
        return [_INSTANCE_NORM[config.dimensions](channels, affine=True)]
    return []


def activation(config: ModelConfig, channels: int) -> nn.Module:
    """Return a new activation; PReLU has a slope for each channel."""
    if config.activation == "relu":
        return nn.ReLU(inplace=True)
    if config.activation == "leaky_relu":
        return nn.LeakyReLU(0.01, inplace=True)
    return nn.PReLU(channels)


def conv_norm(
    config: ModelConfig, channels_in: int, channels_out: int, kernel: int, **how: int
) -> list[nn.Module]:
    """Convolution, normalisation, activation; the normalisation's shift is the bias."""
    bias = config.norm == "none"
    return [
        conv(config, channels_in, channels_out, kernel, bias=bias, **how),
        *norm(config, channels_out),
        activation(config, channels_out),
    ]


def dropout(config: ModelConfig) -> nn.Module:
    """Return dropout of whole channels in training."""
    return _DROPOUT[config.dimensions](config.dropout)


def initialise(module: nn.Module) -> None:
    """Set Kaiming uniform weights (He et al. 2015) and biases of 0, as in the published run."""
    if isinstance(module, nn.Conv2d | nn.Conv3d | nn.ConvTranspose2d | nn.ConvTranspose3d):
        nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def logit_channels(config: ModelConfig) -> int:
    """Return the number of logits: one per class, and one for background under softmax."""
    return config.classes + (config.head == "softmax")
