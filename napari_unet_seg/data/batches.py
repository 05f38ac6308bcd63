"""Batches out of the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch


class Side(Protocol):
    """What one side of a split is trained or validated on: slices, or patches of volumes."""

    def __len__(self) -> int:
        """Items of an epoch."""

    @property
    def labelled(self) -> bool:
        """Whether any pixel has a label."""

    def owner(self, index: int) -> int:
        """Which scan or slice an item belongs to, for figures that are counted per scan."""

    def take(
        self, indices: np.ndarray, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Floats in 0…1 of shape (B, C, …) and uint8 masks of shape (B, …)."""


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
