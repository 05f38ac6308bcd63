"""Sizes that go through a network, and inputs brought to them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import torch.nn.functional as F

from napari_unet_seg.nn.blocks import crop

if TYPE_CHECKING:
    import torch
    from torch import nn

    from napari_unet_seg.config import ModelConfig


def output_size(config: ModelConfig, size: int) -> int | None:
    """Pixels of the logits along an axis, for those of the input; None where it does not fit.

    Unpadded convolutions of kernel 3 take `dilation` pixels off each side; every level has two.
    """
    lost = 0 if config.padded else 4 * config.dilation
    for _ in range(config.depth):
        size -= lost
        if size <= 0 or size % 2:
            return None
        size //= 2
    for _ in range(config.depth + 1):
        size -= lost
        if size <= 0:
            return None
        size *= 2
    return size // 2


def input_size(config: ModelConfig, size: int) -> int:
    """The smallest input whose logits cover so many pixels along an axis."""
    return next(
        wanted for wanted in itertools.count(size) if (output_size(config, wanted) or 0) >= size
    )


def check_size(config: ModelConfig, size: tuple[int, ...]) -> None:
    """Refuse a size that does not go through the network.

    Raises
    ------
    ValueError
        With the size to take instead.
    """
    if any(output_size(config, n) is None for n in size):
        right = tuple(
            next(m for m in itertools.count(n) if output_size(config, m) is not None) for n in size
        )
        raise ValueError(f"this network takes {right}, not {size}")


def apply_net(net: nn.Module, config: ModelConfig, images: torch.Tensor) -> torch.Tensor:
    """Logits of the images' own size, whatever it is."""
    return trimmed(net(fit(config, images)), images.shape[2:])


def trimmed(logits: torch.Tensor, size: torch.Size) -> torch.Tensor:
    """Take away again what `fit` put around the image."""
    return crop(logits, size)


def fit(config: ModelConfig, images: torch.Tensor) -> torch.Tensor:
    """Surround (B, C, …) with as much as the network needs to cover it.

    Padded networks get black background, unpadded ones the mirrored image, as Ronneberger et al.
    do at the border (background again where the image is smaller than the margin).
    """
    margins = [input_size(config, n) - n for n in images.shape[2:]]
    if not any(margins):
        return images
    pad = [side for m in reversed(margins) for side in (m // 2, m - m // 2)]
    mirrored = not config.padded and all(
        m - m // 2 < n for m, n in zip(margins, images.shape[2:], strict=True)
    )
    return F.pad(images, pad, mode="reflect" if mirrored else "constant")
