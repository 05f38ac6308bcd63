"""Batches of the items of a split."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from napari_unet_seg.config import IGNORE_INDEX

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import torch


class SplitItems(Protocol):
    """The items of one split: slices, or patches of volumes."""

    def __len__(self) -> int:
        """Return the number of items of an epoch."""

    @property
    def labels(self) -> set[int]:
        """The label values that occur in the masks."""

    @property
    def shares(self) -> np.ndarray:
        """The largest share of a slice that each label value fills; see `largest_shares`."""

    def owner(self, index: int) -> int:
        """Return the index of the item's sample in its split, for metrics of whole scans."""

    def take(
        self, indices: np.ndarray, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return images, floats in 0…1 of shape (B, C, …), and uint8 masks of shape (B, …)."""


def largest_shares(slices: Iterable[np.ndarray]) -> np.ndarray:
    """Return for each label value the largest share that it fills of any slice.

    Parameters
    ----------
    slices : iterable of array
        uint8 labels; pixels of `IGNORE_INDEX` count for nothing.

    Returns
    -------
    array
        float64 in 0…1 of shape (256,); 0 for a value that does not occur.
    """
    largest = np.zeros(256)
    for labels in slices:
        counts = np.bincount(labels.ravel(), minlength=256)
        counts[IGNORE_INDEX] = 0
        largest = np.maximum(largest, counts / max(1, counts.sum()))
    return largest


def is_label(masks: np.ndarray) -> np.ndarray:
    """Return which pixels have a label that is neither background nor `IGNORE_INDEX`."""
    return np.asarray((masks > 0) & (masks != IGNORE_INDEX))


def labels_in(shares: np.ndarray) -> set[int]:
    """Return the label values that fill a share of a slice, without background."""
    return set(np.flatnonzero(shares).tolist()) - {0}


def in_order(count: int, batch_size: int) -> Iterator[np.ndarray]:
    """Return the indices of consecutive batches; the last batch may be smaller."""
    for start in range(0, count, batch_size):
        yield np.arange(start, min(start + batch_size, count))


def shuffled(count: int, batch_size: int, seed: tuple[int, ...]) -> list[np.ndarray]:
    """Return the indices of one epoch's batches, of nearly equal sizes up to `batch_size`.

    Equal sizes avoid a last batch of a single sample, whose batch statistics are poor.
    """
    order = np.random.default_rng(seed).permutation(count)
    return np.array_split(order, -(-count // batch_size))
