"""Sequences and masks of cases as arrays that are read when a sample is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.io.cases.channels import read_channels
from napari_unet_seg.io.cases.read import read_mask
from napari_unet_seg.io.common.window import shared_window
from napari_unet_seg.io.masks.report import MaskReport, report_of

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import NormaliseConfig
    from napari_unet_seg.io.cases.case import Source
    from napari_unet_seg.io.cases.channels import Channels
    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.io.common.window import Windows


@dataclass(frozen=True, slots=True)
class CaseImage:
    """A sequence of a case, or several as channels; or one slice of them."""

    channels: Channels
    grid: Source
    """The sequence on whose grid the mask is."""
    number: int | None = None
    """Number of the slice; None for all."""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Return the pixels: (Z, Y, X), with C at the end if several, or without Z for a slice."""
        data = _scan(self.channels, self.grid).data
        return np.array(data if self.number is None else data[self.number], dtype)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on how the channels came onto one grid, for example."""
        return tuple(_scan(self.channels, self.grid).meta.get("notes", ()))

    def window(self, normalise: NormaliseConfig) -> Windows | None:
        """Return the window that all slices share; None for a single image."""
        return _window(self.channels, self.grid, normalise)


@dataclass(frozen=True, slots=True)
class CaseMask:
    """The mask of an image of a case, or of one of its slices."""

    mask: Source
    image: CaseImage

    def read(self) -> tuple[Array, MaskReport]:
        """Return the labels and the report of the mask, which is the first slice's, if of slices.

        Raises
        ------
        DataError
            If the mask cannot be read, or its grid is not the image's.
        """
        scan, number = _mask(self.mask, self.image.channels, self.image.grid), self.image.number
        if number is None:
            return scan.data, report_of(scan.data, soft=scan.meta["soft"])
        labels = scan.data[number]
        report = report_of(labels, soft=scan.meta["soft"] and number == 0)
        return labels, report


# One volume after the other is read, slice by slice.
@lru_cache(maxsize=1)
def _scan(channels: Channels, grid: Source) -> Scan:
    scan = read_channels(channels, grid)
    return replace(scan, data=np.asarray(scan.data))


@lru_cache(maxsize=1)
def _mask(mask: Source, channels: Channels, grid: Source) -> Scan:
    return read_mask(mask, _scan(channels, grid))


@lru_cache(maxsize=1)
def _window(channels: Channels, grid: Source, normalise: NormaliseConfig) -> Windows | None:
    return shared_window(_scan(channels, grid), normalise)
