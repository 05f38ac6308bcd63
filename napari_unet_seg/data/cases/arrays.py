"""Sequences and masks of cases as arrays that are read when a sample is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.data.samples import elsewhere
from napari_unet_seg.io.cases.read import read_mask, read_sequence
from napari_unet_seg.io.common.window import shared_window
from napari_unet_seg.io.masks.report import MaskReport, report_of

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import NormaliseConfig
    from napari_unet_seg.io.cases.case import Source
    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.io.common.window import Window


@dataclass(frozen=True, slots=True)
class CaseImage:
    """A sequence of a case, or one of its slices."""

    sequence: Source
    number: int | None = None
    """Number of the slice; None for all."""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Return the pixels: (Z, Y, X), with C at the end for colours, or without Z for a slice."""
        data = _scan(self.sequence).data
        return np.array(data if self.number is None else data[self.number], dtype)

    def window(self, normalise: NormaliseConfig) -> Window | None:
        """Return the window that all slices share; None for a single image."""
        return _window(self.sequence, normalise)


@dataclass(frozen=True, slots=True)
class CaseMask:
    """The mask of a sequence, or one of its slices."""

    mask: Source
    sequence: Source
    number: int | None = None
    """Number of the slice; None for all."""

    def read(self) -> tuple[Array, MaskReport]:
        """Return the labels and the report of the mask, which is the first slice's, if of slices.

        Raises
        ------
        DataError
            If the mask cannot be read, or its grid is not the sequence's.
        """
        scan = _mask(self.mask, self.sequence)
        if self.number is None:
            return scan.data, report_of(scan.data, soft=scan.meta["soft"])
        labels = scan.data[self.number]
        report = report_of(labels, soft=scan.meta["soft"] and self.number == 0)
        return labels, report

    def place_note(self) -> str:
        """Return a sentence if the mask lies elsewhere than its sequence; empty for most."""
        return elsewhere(self.mask.files[0], _mask(self.mask, self.sequence).meta["apart"])


# One volume after the other is read, slice by slice.
@lru_cache(maxsize=1)
def _scan(sequence: Source) -> Scan:
    scan = read_sequence(sequence)
    return replace(scan, data=np.asarray(scan.data))


@lru_cache(maxsize=1)
def _mask(mask: Source, sequence: Source) -> Scan:
    return read_mask(mask, _scan(sequence))


@lru_cache(maxsize=1)
def _window(sequence: Source, normalise: NormaliseConfig) -> Window | None:
    return shared_window(_scan(sequence), normalise)
