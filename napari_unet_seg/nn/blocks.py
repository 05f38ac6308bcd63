"""Blocks of the U-Net."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import nn

from napari_unet_seg.nn.layers import (
    activation,
    conv,
    conv_norm,
    dropout,
    interpolation,
    norm,
    pool,
    transposed,
)

if TYPE_CHECKING:
    from napari_unet_seg.config import ModelConfig


def crop(x: torch.Tensor, size: torch.Size) -> torch.Tensor:
    """Crop (B, C, …) around its centre to a spatial size that is not larger."""
    if x.shape[2:] == size:
        return x  # an unneeded `narrow` would copy the gradient into another layout
    for axis, wanted in enumerate(size, start=2):
        x = x.narrow(axis, (x.shape[axis] - wanted) // 2, wanted)
    return x


class _Join(torch.autograd.Function):
    """Concatenate along channels, with contiguous gradients of both tensors.

    The gradients of `torch.cat` are views into one tensor of twice the channels, on which the
    backward steps of activations and normalisations are several times slower.
    """

    @staticmethod
    def forward(ctx: Any, skip: torch.Tensor, raised: torch.Tensor) -> torch.Tensor:
        ctx.channels = skip.shape[1], raised.shape[1]
        return torch.cat([skip, raised], dim=1)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(part.clone() for part in torch.split(gradient, ctx.channels, dim=1))


def join(skip: torch.Tensor, raised: torch.Tensor) -> torch.Tensor:
    """Concatenate (B, C, …) and (B, D, …) to (B, C + D, …)."""
    # torch leaves `apply` without types
    joined: torch.Tensor = _Join.apply(skip, raised)  # type: ignore[no-untyped-call]
    return joined


def _conv3(config: ModelConfig, channels_in: int, channels_out: int) -> list[nn.Module]:
    """3×3 convolution, normalisation, activation; keeps the size where it is padded."""
    padding = config.dilation if config.padded else 0
    how = {"dilation": config.dilation, "padding": padding}
    return conv_norm(config, channels_in, channels_out, 3, **how)


class DoubleConv(nn.Sequential):
    """Two convolutions of one level: (B, in, …) to (B, out, …)."""

    def __init__(
        self, config: ModelConfig, channels_in: int, channels_out: int, *, drop: bool = False
    ) -> None:
        layers = _conv3(config, channels_in, channels_out)
        layers += _conv3(config, channels_out, channels_out)
        if drop:
            layers.append(dropout(config))
        super().__init__(*layers)


class ResidualConv(nn.Module):
    """Two convolutions with a residual connection (He et al. 2016, arXiv:1512.03385).

    (B, in, …) to (B, out, …); if the widths differ, the shortcut is a 1×1 convolution.
    """

    def __init__(
        self, config: ModelConfig, channels_in: int, channels_out: int, *, drop: bool = False
    ) -> None:
        super().__init__()
        *layers, last = DoubleConv(config, channels_in, channels_out)
        self.body = nn.Sequential(*layers)
        self.shortcut: nn.Module = nn.Identity()
        if channels_in != channels_out:
            bias = config.norm == "none"
            narrow = conv(config, channels_in, channels_out, 1, bias=bias)
            self.shortcut = nn.Sequential(narrow, *norm(config, channels_out))
        self.last = nn.Sequential(last, *([dropout(config)] if drop else []))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Add the body's output to the shortcut's."""
        changed = self.body(x)
        added: torch.Tensor = self.last(changed + crop(self.shortcut(x), changed.shape[2:]))
        return added


def level(
    config: ModelConfig, channels_in: int, channels_out: int, *, drop: bool = False
) -> nn.Module:
    """The convolutions of one level, plain or residual."""
    kind = ResidualConv if config.residual else DoubleConv
    return kind(config, channels_in, channels_out, drop=drop)


class Down(nn.Sequential):
    """Halve the size, then two convolutions: (B, in, Y, X) to (B, out, Y/2, X/2)."""

    def __init__(
        self, config: ModelConfig, channels_in: int, channels_out: int, *, drop: bool = False
    ) -> None:
        super().__init__(
            _halve(config, channels_in), level(config, channels_in, channels_out, drop=drop)
        )


def _halve(config: ModelConfig, channels: int) -> nn.Module:
    if config.downsampling == "strided":
        return nn.Sequential(*conv_norm(config, channels, channels, 2, stride=2))
    if config.downsampling == "dilated":
        how = {"stride": 2, "dilation": 2, "padding": 2}
        return nn.Sequential(*conv_norm(config, channels, channels, 3, **how))
    return pool(config)


class AttentionGate(nn.Module):
    """Attention gate of a skip by the coarser level (Oktay et al. 2018, arXiv:1804.03999).

    A skip of (B, C, 2Y, 2X) is multiplied by a map in 0…1, which is computed with the gating signal
    of (B, 2C, Y, X) on the coarse grid and interpolated.
    """

    def __init__(self, config: ModelConfig, channels: int) -> None:
        super().__init__()
        inner = max(1, channels // 2)
        self.of_skip = conv(config, channels, inner, 2, stride=2, bias=False)
        self.of_gate = conv(config, 2 * channels, inner, 1)
        self.weight = nn.Sequential(nn.ReLU(inplace=True), conv(config, inner, 1, 1), nn.Sigmoid())
        self.up = interpolation(config)

    def forward(self, skip: torch.Tensor, gate: torch.Tensor) -> torch.Tensor:
        """Return the weighted skip."""
        weight: torch.Tensor = self.up(self.weight(self.of_skip(skip) + self.of_gate(gate)))
        return skip * weight


class Up(nn.Module):
    """Double the size and halve the width, join the skip, two convolutions.

    (B, in, Y, X) and a skip of (B, in/2, 2Y, 2X) become (B, in/2, 2Y, 2X). A larger skip, as
    unpadded convolutions leave it, is cropped.
    """

    def __init__(self, config: ModelConfig, channels_in: int) -> None:
        super().__init__()
        half = channels_in // 2
        # The 1×1 convolution and the interpolation commute: convolving first takes a quarter of the
        # operations for the same result.
        up = (
            [transposed(config, channels_in, half)]
            if config.upsampling == "transposed"
            else [conv(config, channels_in, half, 1), interpolation(config)]
        )
        if config.normalised_up:
            up += [*norm(config, half), activation(config, half)]
        self.up = up[0] if len(up) == 1 else nn.Sequential(*up)
        self.gate = AttentionGate(config, half) if config.attention else None
        self.conv = level(config, channels_in, half)

    def forward(self, x: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        """Join `x` with `skip`."""
        raised = self.up(x)
        skip = crop(skip, raised.shape[2:])
        if self.gate is not None:
            skip = self.gate(skip, x)
        joined: torch.Tensor = self.conv(join(skip, raised))
        return joined


class Heads(nn.ModuleList):
    """1×1 convolutions to logits at the coarser levels of the expansive path, for training.

    Deep supervision after Lee et al. 2015 (arXiv:1409.5185), in the form of Dou et al. 2016.
    """

    def forward(self, features: list[torch.Tensor], size: torch.Size) -> list[torch.Tensor]:
        """Map features, the coarsest first, to logits of the full size, the finest first."""
        mode = {2: "bilinear", 3: "trilinear"}[len(size)]
        logits = [head(x) for head, x in zip(self, features, strict=True)]
        return [F.interpolate(x, size, mode=mode, align_corners=False) for x in reversed(logits)]
