"""The pieces of the U-Net."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from napari_unet_seg.config import ModelConfig


def activation(config: ModelConfig) -> nn.Module:
    """Return a new activation layer."""
    if config.activation == "relu":
        return nn.ReLU(inplace=True)
    return nn.LeakyReLU(0.01, inplace=True)


def conv_norm(config: ModelConfig, channels_in: int, channels_out: int) -> list[nn.Module]:
    """3×3 convolution that keeps the size, batch norm, activation."""
    return [
        nn.Conv2d(
            channels_in,
            channels_out,
            kernel_size=3,
            padding=config.dilation,
            dilation=config.dilation,
            bias=False,  # batch norm has its own
        ),
        nn.BatchNorm2d(channels_out),
        activation(config),
    ]


class DoubleConv(nn.Sequential):
    """Two convolutions of one level: (B, in, Y, X) to (B, out, Y, X)."""

    def __init__(
        self, config: ModelConfig, channels_in: int, channels_out: int, dropout: float = 0.0
    ) -> None:
        layers = conv_norm(config, channels_in, channels_out)
        layers += conv_norm(config, channels_out, channels_out)
        if dropout:
            layers.append(nn.Dropout2d(dropout))
        super().__init__(*layers)


class Down(nn.Sequential):
    """Halve the size, then two convolutions: (B, in, Y, X) to (B, out, Y/2, X/2)."""

    def __init__(
        self, config: ModelConfig, channels_in: int, channels_out: int, dropout: float = 0.0
    ) -> None:
        pool = nn.MaxPool2d(2) if config.downsampling == "max" else nn.AvgPool2d(2)
        super().__init__(pool, DoubleConv(config, channels_in, channels_out, dropout))


class Up(nn.Module):
    """Double the size and halve the width, join the skip, two convolutions.

    (B, in, Y, X) and a skip of (B, in/2, 2Y, 2X) become (B, in/2, 2Y, 2X).
    """

    def __init__(self, config: ModelConfig, channels_in: int) -> None:
        super().__init__()
        half = channels_in // 2
        self.up: nn.Module
        if config.upsampling == "transposed":
            self.up = nn.ConvTranspose2d(channels_in, half, kernel_size=2, stride=2)
        else:
            # The 1×1 convolution and the interpolation commute: narrowing first is a quarter
            # of the work for the same result.
            self.up = nn.Sequential(
                nn.Conv2d(channels_in, half, kernel_size=1),
                nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
            )
        self.conv = DoubleConv(config, channels_in, half)

    def forward(self, x: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        """Join `x` with `skip`."""
        joined: torch.Tensor = self.conv(torch.cat([skip, self.up(x)], dim=1))
        return joined
