"""Valid input sizes of a network, and padding of inputs to them."""

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
    """Return the size of the logits along an axis, or None for an invalid input size.

    Unpadded convolutions of kernel 3 remove `dilation` pixels on each side; each level has two.
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
    """Return the smallest input size whose logits cover `size` pixels along an axis."""
    return next(
        wanted for wanted in itertools.count(size) if (output_size(config, wanted) or 0) >= size
    )


def check_size(config: ModelConfig, size: tuple[int, ...]) -> None:
    """Check that the network can process an input size.

    Raises
    ------
    ValueError
        If the size is invalid; the message names the next valid size.
    """
    if any(output_size(config, n) is None for n in size):
        right = tuple(
            next(m for m in itertools.count(n) if output_size(config, m) is not None) for n in size
        )
        raise ValueError(f"this network takes {right}, not {size}")


def apply_net(net: nn.Module, config: ModelConfig, images: torch.Tensor) -> torch.Tensor:
    """Compute logits (B, K, …) of the size of the images (B, C, …), for any size."""
    return trimmed(net(fit(config, images)), images.shape[2:])


def trimmed(logits: torch.Tensor, size: torch.Size) -> torch.Tensor:
    """Remove the padding of `fit` from logits."""
    return crop(logits, size)


def fit(config: ModelConfig, images: torch.Tensor) -> torch.Tensor:
    """Pad images (B, C, …) to a size whose logits cover them.

    Images for networks with padded convolutions get black background; for unpadded convolutions
    they are mirrored, as by Ronneberger et al. (black background if the image is smaller than the
    margin).
    """
    margins = [input_size(config, n) - n for n in images.shape[2:]]
    if not any(margins):
        return images
    pad = [side for m in reversed(margins) for side in (m // 2, m - m // 2)]
    mirrored = not config.padded and all(
        m - m // 2 < n for m, n in zip(margins, images.shape[2:], strict=True)
    )
    return F.pad(images, pad, mode="reflect" if mirrored else "constant")
