"""Labels as nnU-Net wants them: consecutive, with a name each, and the highest one to ignore."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.config import IGNORE_INDEX, Category
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.names import free_name
from napari_unet_seg.io.masks.palette import PALETTE_KEY, stored_palette
from napari_unet_seg.io.provenance import provenance

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari_unet_seg.arrays import Array

BACKGROUND, IGNORED = "background", "ignore"
"""Names that nnU-Net gives a meaning; no category may have them."""


class ConsecutiveLabels:
    """The labels of a data set, numbered from 1 without gaps.

    Parameters
    ----------
    values : sequence of int
        Label value of each category in our masks, in increasing order; all above 0.
    """

    def __init__(self, values: Sequence[int]) -> None:
        self._values = np.array([0, *values])
        self._has_ignored = IGNORE_INDEX not in self._values
        self.ignored = len(self._values)
        """Label of unreviewed pixels, above all others."""
        self.holds_ignored = False
        """Whether an array was renumbered that has unreviewed pixels."""

    def renumber(self, labels: Array, what: str) -> Array:
        """Return labels with consecutive values.

        Raises
        ------
        DataError
            If a value is none of a category.
        """
        unreviewed = (labels == IGNORE_INDEX) & self._has_ignored
        places = np.searchsorted(self._values, labels).clip(max=len(self._values) - 1)
        wrong = labels[(self._values[places] != labels) & ~unreviewed]
        if wrong.size:
            raise DataError(
                f"{what} holds the label {int(wrong.flat[0])}, which is no category; add the "
                "category, or correct the mask."
            )
        self.holds_ignored |= bool(unreviewed.any())
        kind = np.min_scalar_type(self.ignored)
        return np.where(unreviewed, self.ignored, places).astype(kind)

    def named(self, names: Iterable[str]) -> dict[str, int]:
        """Return `labels` of `dataset.json`: background, the categories, and if need be `ignore`.

        Parameters
        ----------
        names : iterable of str
            Names of the categories; equal ones get numbers, since the names are keys.
        """
        found = {BACKGROUND: 0}
        taken = {BACKGROUND, IGNORED}
        for value, name in enumerate(names, 1):
            own = free_name(name or f"label {value}", taken)
            taken.add(own)
            found[own] = value
        return found | ({IGNORED: self.ignored} if self.holds_ignored else {})

    def description(self, names: Iterable[str], stored: Any) -> dict[str, Any]:
        """Return what a mask stores of its categories, with which it opens here again.

        Parameters
        ----------
        names : iterable of str
            Names of the categories, as for `named`.
        stored : Any
            Description of the mask before, which may hold colours.
        """
        names, colours = list(names), stored_palette(stored)
        own = list(self.named(names))[1 : len(names) + 1]
        palette = {new: colours[old] for old, new in zip(names, own, strict=True) if old in colours}
        categories = [Category(id=value, name=name) for value, name in enumerate(own, 1)]
        return provenance(None, categories) | {PALETTE_KEY: palette}
