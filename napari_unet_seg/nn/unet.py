"""The U-Net."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from napari_unet_seg.nn.blocks import DoubleConv, Down, Up

if TYPE_CHECKING:
    import torch

    from napari_unet_seg.config import ModelConfig


class UNet(nn.Module):
    """U-Net with padded convolutions and batch norm.

    After Ronneberger, Fischer and Brox 2015 (arXiv:1505.04597); logits come out at the input's
    own size.

    Parameters
    ----------
    config : ModelConfig
        Width, depth and the options of the blocks.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        widths = [config.width * 2**level for level in range(config.depth + 1)]
        dropouts = [config.dropout if level >= config.depth - 1 else 0.0 for level in range(99)]
        self.first = DoubleConv(config, config.in_channels, widths[0])
        self.downs = nn.ModuleList(
            Down(config, widths[level], widths[level + 1], dropouts[level + 1])
            for level in range(config.depth)
        )
        self.ups = nn.ModuleList(Up(config, width) for width in reversed(widths[1:]))
        self.last = nn.Conv2d(widths[0], logit_channels(config), kernel_size=1)
        self.apply(_initialise)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, in_channels, Y, X) to logits (B, K, Y, X); Y and X are multiples of 2**depth.

        Raises
        ------
        ValueError
            If the size is no such multiple.
        """
        step = 2**self.config.depth
        if x.shape[-2] % step or x.shape[-1] % step:
            right = tuple(-(-n // step) * step for n in x.shape[-2:])
            raise ValueError(f"a U-Net of this depth takes {right}, not {tuple(x.shape[-2:])}")
        skips = [self.first(x)]
        for down in self.downs:
            skips.append(down(skips[-1]))
        x = skips.pop()
        for up in self.ups:
            x = up(x, skips.pop())
        logits: torch.Tensor = self.last(x)
        return logits


def logit_channels(config: ModelConfig) -> int:
    """One logit per class, and one for background under softmax."""
    return config.classes + (config.head == "softmax")


def _initialise(module: nn.Module) -> None:
    """Kaiming uniform weights, as the published run."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
