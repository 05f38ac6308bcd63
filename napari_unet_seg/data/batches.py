"""Batches out of the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_unet_seg.data.cache import Cache


def take(cache: Cache, indices: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Floats in 0…1 of shape (B, C, S, S) and uint8 masks of shape (B, S, S)."""
    images, masks = cache.at(indices)
    return torch.from_numpy(images).float() / 255, torch.from_numpy(masks)


def in_order(count: int, batch_size: int) -> Iterator[np.ndarray]:
    """Indices of consecutive batches, the last one as it comes."""
    for start in range(0, count, batch_size):
        yield np.arange(start, min(start + batch_size, count))


def shuffled(count: int, batch_size: int, seed: tuple[int, ...]) -> list[np.ndarray]:
    """Indices of one epoch's batches, of sizes as even as can be; at most `batch_size`.

    Even sizes keep the last step from learning from a lone sample, whose batch statistics are
    poor.
    """
    order = np.random.default_rng(seed).permutation(count)
    return np.array_split(order, -(-count // batch_size))
