"""The U-Net, in 2D and 3D."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from napari_unet_seg.nn.blocks import Down, Heads, Up, level
from napari_unet_seg.nn.layers import conv, initialise, logit_channels
from napari_unet_seg.nn.sizes import check_size

if TYPE_CHECKING:
    import torch

    from napari_unet_seg.config import ModelConfig

_SUPERVISED = 2
"""Number of levels below the finest that are supervised too, under deep supervision."""


class UNet(nn.Module):
    """U-Net after Ronneberger, Fischer and Brox 2015 (arXiv:1505.04597).

    The 3D U-Net follows Çiçek et al. 2016 (arXiv:1606.06650). With padded convolutions the logits
    have the size of the input; with unpadded convolutions they cover its centre, 388 of 572 pixels.

    Parameters
    ----------
    config : ModelConfig
        Width, depth and the options of the blocks.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        widths = [config.width * 2**n for n in range(config.depth + 1)]
        self.first = level(config, config.channels, widths[0])
        self.downs = nn.ModuleList(
            Down(
                config,
                widths[n],
                widths[n + 1],
                drop=config.dropout > 0 and n >= config.depth - 2,
            )
            for n in range(config.depth)
        )
        self.ups = nn.ModuleList(Up(config, width) for width in reversed(widths[1:]))
        self.last = conv(config, widths[0], logit_channels(config), 1)
        if config.deep_supervision:
            inner = reversed(widths[1 : 1 + _SUPERVISED][: config.depth - 1])
            self.heads = Heads(conv(config, width, logit_channels(config), 1) for width in inner)
        self.apply(initialise)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, channels, Y, X) or (B, channels, Z, Y, X) to logits (B, K, …).

        Raises
        ------
        ValueError
            If the size is invalid for the depth; the message names the next valid size.
        """
        logits: torch.Tensor = self.last(self.features(x)[-1])
        return logits

    def contracting(self) -> list[nn.Module]:
        """Return the levels of the contracting path, the finest first."""
        return [self.first, *self.downs]

    def supervised(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return the logits of the finest level, then of coarser levels, upsampled to its size."""
        features = self.features(x)
        logits = [self.last(features[-1])]
        if self.config.deep_supervision:
            coarse = features[-1 - len(self.heads) : -1]
            logits += self.heads(coarse, logits[0].shape[2:])
        return logits

    def features(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Compute the features of the expansive path, the coarsest first."""
        check_size(self.config, tuple(x.shape[2:]))
        skips = [self.first(x)]
        for down in self.downs:
            skips.append(down(skips[-1]))
        features = [skips.pop()]
        for up in self.ups:
            features.append(up(features[-1], skips.pop()))
        return features
