"""What `session.json` records of the other files of the session's case: sequences and masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from napari_unet_seg.config import Category, Config
from napari_unet_seg.session.stored.scan import ScanRecord

if TYPE_CHECKING:
    from napari_unet_seg.session.stored.moved import Move


class Placement(Config):
    """The geometry of a layer; see napari's layers."""

    scale: tuple[float, ...]
    translate: tuple[float, ...]
    rotate: tuple[tuple[float, ...], ...]
    shear: tuple[float, ...] | tuple[tuple[float, ...], ...]
    affine: tuple[tuple[float, ...], ...]
    units: tuple[str, ...]
    """The unit of each axis."""


class SequenceRecord(Config):
    """Another sequence of the case of a session, on a grid of its own."""

    layer: str
    """Name of the sequence's layer."""
    scan: ScanRecord
    placement: Placement | None = None
    """None if the sequence has the geometry of its file."""

    def moved(self, move: Move) -> Self:
        """Return the record with the paths after a move."""
        paths = tuple(map(move.path, self.scan.paths))
        return self.model_copy(update={"scan": self.scan.model_copy(update={"paths": paths})})


class MaskRecord(Config):
    """Another mask of the case of a session, which is in files of its own."""

    layer: str
    """Name of the mask's layer."""
    paths: tuple[str, ...]
    """A file or folder, or a file for each of `slices`."""
    slices: tuple[int, ...] | None = None
    """Number of the slice that each file holds; None for a file of the whole mask."""
    unreviewed: int | None = None
    """Label of unreviewed pixels in the files, if it is another one than the usual."""
    categories: tuple[Category, ...] = ()
    """The categories of the labels, from 1."""

    def moved(self, move: Move) -> Self:
        """Return the record with the paths after a move."""
        return self.model_copy(update={"paths": tuple(map(move.path, self.paths))})
