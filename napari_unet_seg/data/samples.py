"""Training samples: slices with their masks, and where they come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Category


Split = Literal["train", "valid", "test"]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One slice and its mask, as files or as arrays."""

    name: str
    image: Path | Array
    """A 2D image file, or an array of shape (Y, X) or (Y, X, C)."""
    mask: Path | Array
    """A TIFF, or an integer array of shape (Y, X): 0 background, then label values."""
    group: str
    """Patient or scan; samples of one group stay on one side of a split."""
    split: Split | None = None
    """Where the data set itself says which side it is on."""
    window: tuple[float, float] | None = None
    """Intensities that become black and white; of the volume for a slice of one, else None."""


@dataclass(frozen=True, slots=True, eq=False)
class SampleSet:
    """Samples and the categories that their label values, from 1, stand for."""

    samples: tuple[Sample, ...]
    categories: tuple[Category, ...]
    source: str
    """Where they come from, for the checkpoint's training summary and for messages."""
