"""Phantoms in the layout of the real data, for `--smoke`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import nibabel
import numpy as np

from benchmarks.common.synthetic import brisc

if TYPE_CHECKING:
    from pathlib import Path

_SIZE = 96
_SHELLS = {44: 515, 38: 24, 34: 3, 30: 2, 10: 4}
"""Radius of each ball, and the code of what it is made of."""


def data(folder: Path) -> Path:
    """Write slices in the layout of BRISC, and two heads of balls, one of them held out."""
    for name in ("brisc-256", "head-labels"):
        (folder / name).mkdir()
    brisc(folder / "brisc-256")
    grid = np.indices((_SIZE,) * 3) - _SIZE // 2
    far = np.sqrt((grid**2).sum(0))
    codes = np.zeros(far.shape, np.float32)
    for radius, code in _SHELLS.items():
        codes[far < radius] = code
    for name in ("head-01", "head-18"):
        nibabel.save(
            nibabel.Nifti1Image(codes, np.eye(4)), folder / "head-labels" / f"{name}.nii.gz"
        )
    return folder
