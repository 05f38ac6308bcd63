"""Batches out of the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from napari_unet_seg.config import IGNORE_INDEX

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import torch


class SplitItems(Protocol):
    """What one side of a split is trained or validated on: slices, or patches of volumes."""

    def __len__(self) -> int:
        """Items of an epoch."""

    @property
    def labels(self) -> set[int]:
        """The label values that occur."""

    def owner(self, index: int) -> int:
        """Which scan or slice an item belongs to, for figures that are counted per scan."""

    def take(
        self, indices: np.ndarray, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Floats in 0…1 of shape (B, C, …) and uint8 masks of shape (B, …)."""


def labels_in(masks: Iterable[np.ndarray]) -> set[int]:
    """Label values that occur in uint8 masks; neither background nor `IGNORE_INDEX` is one."""
    counts = sum((np.bincount(m.ravel(), minlength=256) for m in masks), np.zeros(256, int))
    return set(np.flatnonzero(counts).tolist()) - {0, IGNORE_INDEX}


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
