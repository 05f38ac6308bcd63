"""Label maps of heads, with FreeSurfer's codes and those of what lies outside the brain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import nibabel
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.arrays import Array


HELD_OUT = ("head-18", "head-19", "head-20")
_INSIDE = (
    "2 3 4 5 7 8 10 11 12 13 14 15 16 17 18 24 25 26 28 30 41 42 43 44 46 47 49 50 51 52 53 54 57 "
    "58 60 62 72 85 136 137 163 164"
)
_OUTSIDE = "502 506 507 508 509 511 512 514 515 516 530"
CODES = np.array([int(code) for code in f"0 {_INSIDE} {_OUTSIDE}".split()])
"""FreeSurfer's codes: of the brain up to 200 (24 is the fluid around it), and outside it."""
TISSUES: dict[str, tuple[int, ...]] = {
    "white": (2, 41, 85, 7, 46),
    "cortex": (3, 42, 8, 47),
    "ventricles": (4, 5, 14, 15, 43, 44, 72),
    "fluid": (24, 530),
    "deep": (10, 11, 12, 13, 49, 50, 51, 52, 26, 58, 17, 18, 53, 54, 28, 60),
    "stem": (16,),
    "vessels": (30, 62, 25, 57, 136, 137, 163, 164),
}
"""Tissues with much the same grey; everything outside the brain has one of its own."""


def heads(folder: Path, held_out: bool) -> list[Path]:
    """The label maps of one side."""
    return [p for p in sorted(folder.glob("*.nii.gz")) if (p.name[:7] in HELD_OUT) == held_out]


def load_head(path: Path) -> Array:
    """Codes (Z, Y, X) as int16, axial slices from below upwards, the face at the top."""
    image = nibabel.as_closest_canonical(nibabel.load(path))
    codes = np.asarray(image.dataobj).astype(np.int16)
    return np.ascontiguousarray(codes.transpose(2, 1, 0)[:, ::-1])


def numbered(codes: Array) -> Array:
    """The place of each code in `CODES`, uint8; codes of no map are background."""
    table = np.zeros(1000, np.uint8)
    table[CODES] = np.arange(len(CODES))
    return table[codes]


def within_brain(codes: Array) -> Array:
    """Whether codes are of the brain: not of bone, skin or the fluid around it."""
    return (codes > 0) & (codes < 200) & (codes != 24)
