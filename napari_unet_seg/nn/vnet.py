"""The V-Net."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from napari_unet_seg.nn.blocks import join
from napari_unet_seg.nn.layers import (
    activation,
    conv,
    conv_norm,
    dropout,
    initialise,
    logit_channels,
    norm,
    transposed,
)
from napari_unet_seg.nn.sizes import check_size

if TYPE_CHECKING:
    import torch

    from napari_unet_seg.config import ModelConfig

_KERNEL = 5
_MOST = 3
"""Number of convolutions of the deeper stages; the first stage has one, the second two."""


class Stage(nn.Module):
    """Convolutions of kernel 5 with a residual connection: (B, C, …) to (B, C, …).

    `x` passes through the convolutions, and `led` is added before the last activation; `led` has C
    channels, or one channel, which is added to each.
    """

    def __init__(self, config: ModelConfig, channels_in: int, channels: int, count: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for n in range(count):
            layers += conv_norm(
                config, channels if n else channels_in, channels, _KERNEL, padding=_KERNEL // 2
            )
        *body, self.last = layers
        self.body = nn.Sequential(*body)

    def forward(self, x: torch.Tensor, led: torch.Tensor) -> torch.Tensor:
        """Convolve `x`, add `led`, activate."""
        out: torch.Tensor = self.last(self.body(x) + led)
        return out


class VNet(nn.Module):
    """V-Net after Milletari, Navab and Ahmadi 2016 (arXiv:1606.04797), in 3D or in 2D.

    Stages of one, two, then three convolutions of kernel 5, each with a residual connection;
    strided convolutions down and transposed convolutions up, both of kernel 2. The V-Net of the
    paper has PReLU and no normalisation; here both are options.

    Parameters
    ----------
    config : ModelConfig
        Width (the paper's 16), depth (4), dropout, norm and activation.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        widths = [config.width * 2**n for n in range(config.depth + 1)]
        counts = [min(n + 1, _MOST) for n in range(config.depth + 1)]
        self.lead = _lead(config, widths[0])
        self.first = Stage(config, config.channels, widths[0], counts[0])
        self.downs = nn.ModuleList(
            nn.Sequential(*conv_norm(config, widths[n], widths[n + 1], 2, stride=2))
            for n in range(config.depth)
        )
        self.left = nn.ModuleList(
            Stage(config, width, width, count)
            for width, count in zip(widths[1:], counts[1:], strict=True)
        )
        # A stage of the expansive path is as wide as the two tensors that it joins.
        right = [2 * width for width in reversed(widths[:-1])]
        before = [widths[-1], *right[:-1]]
        self.ups = nn.ModuleList(
            nn.Sequential(
                transposed(config, wide, width // 2),
                *norm(config, width // 2),
                activation(config, width // 2),
            )
            for wide, width in zip(before, right, strict=True)
        )
        self.right = nn.ModuleList(
            Stage(config, width, width, count)
            for width, count in zip(right, reversed(counts[:-1]), strict=True)
        )
        self.drop: nn.Module = dropout(config) if config.dropout else nn.Identity()
        self.last = conv(config, right[-1], logit_channels(config), 1)
        self.apply(initialise)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, channels, Z, Y, X) or (B, channels, Y, X) to logits (B, K, …).

        Raises
        ------
        ValueError
            If a side is not a multiple of 2**depth; the message names the next valid size.
        """
        check_size(self.config, tuple(x.shape[2:]))
        skips = [self.first(x, self.lead(x))]
        for down, stage in zip(self.downs, self.left, strict=True):
            narrow = down(skips[-1])
            skips.append(stage(narrow, narrow))
        x = self.drop(skips.pop())
        for up, stage in zip(self.ups, self.right, strict=True):
            joined = join(skips.pop(), up(x))
            x = stage(joined, joined)
        logits: torch.Tensor = self.last(x)
        return logits

    def contracting(self) -> list[nn.Module]:
        """Return the stages of the contracting path, the finest first."""
        pairs = zip(self.downs, self.left, strict=True)
        return [
            nn.ModuleList([self.lead, self.first]),
            *(nn.ModuleList([down, stage]) for down, stage in pairs),
        ]

    def supervised(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return the logits of the finest level, the only supervised level."""
        return [self(x)]


def _lead(config: ModelConfig, width: int) -> nn.Module:
    """Return the residual connection of the first stage; several input channels are mixed."""
    if config.channels == 1:
        return nn.Identity()
    return conv(config, config.channels, width, 1, bias=False)
