from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_unet_seg.io.common.grids.placement import misplacement, offset, plane_of
from napari_unet_seg.io.common.scan import Scan

UPRIGHT = np.array([[-0.5, 0, 0, 90.0], [0, -0.5, 0, 120], [0, 0, 3, -40], [0, 0, 0, 1]])
TILT = np.deg2rad(20)
OBLIQUE = np.array(
    [
        [1, 0, 0, 0],
        [0, np.cos(TILT), -np.sin(TILT), 0],
        [0, np.sin(TILT), np.cos(TILT), 0],
        [0, 0, 0, 1],
    ]
)
SAGITTAL = np.array([[0, 0, -3, 60.0], [-0.5, 0, 0, 120], [0, -0.5, 0, 90], [0, 0, 0, 1]])
ORIENTATIONS = pytest.mark.parametrize("affine", [UPRIGHT, OBLIQUE @ UPRIGHT, SAGITTAL])


def scan(affine: Any, unit: str = "mm", axes: str = "ZYX", size: float = 1.0) -> Scan:
    spacing = (1.0,) * (len(axes) - 3) + (3 * size, 0.5 * size, 0.5 * size)
    return Scan(np.zeros((2, 8, 10, 12)[-len(axes) :]), axes, spacing, unit, affine=affine)


def test_an_upright_scan_lies_at_its_place_in_the_patient() -> None:
    assert offset(scan(UPRIGHT)) == (-40, -120, -90)
    assert offset(scan(UPRIGHT, axes="TZYX")) == (0, -40, -120, -90)
    assert offset(scan(UPRIGHT, "µm", size=1000)) == (-40e3, -120e3, -90e3)


@ORIENTATIONS
def test_a_part_of_a_scan_lies_on_the_scan(affine: Any) -> None:
    part = affine.copy()
    part[:3, 3] = (affine @ (3, 2, 1, 1))[:3]  # begins 3 columns, 2 rows and 1 slice later
    moved = np.subtract(offset(scan(part)), offset(scan(affine)))
    np.testing.assert_allclose(moved, (3, 1, 1.5), atol=1e-9)


@pytest.mark.parametrize("affine", [None, np.zeros((4, 4)), np.full((4, 4), np.nan)])
def test_a_scan_without_a_usable_affine_stays_at_the_origin(affine: Any) -> None:
    assert offset(scan(affine)) == (0, 0, 0)
    assert plane_of(scan(affine)) == ""
    assert misplacement(scan(affine), scan(UPRIGHT)) == ""


@pytest.mark.parametrize(
    ("affine", "plane"),
    [(UPRIGHT, "axial"), (OBLIQUE @ UPRIGHT, "axial"), (SAGITTAL, "sagittal")],
)
def test_the_plane_of_slices(affine: Any, plane: str) -> None:
    assert plane_of(scan(affine)) == plane


@ORIENTATIONS
@pytest.mark.parametrize("shift", [0.06, 2.5])
def test_another_place_is_reported(affine: Any, shift: float) -> None:
    other = affine.copy()
    other[1, 3] += shift
    assert f"{shift:.3g} mm apart" in misplacement(scan(affine), scan(other))


@ORIENTATIONS
def test_rounding_is_not_another_place(affine: Any) -> None:
    rounded = affine.astype(np.float32) * (1 + 1e-5)
    assert misplacement(scan(affine), scan(rounded)) == ""


def test_a_turned_scan_is_reported_though_its_first_voxel_is_in_place() -> None:
    turned = UPRIGHT.copy()
    turned[:3, :3] = OBLIQUE[:3, :3] @ UPRIGHT[:3, :3]
    assert "mm apart" in misplacement(scan(UPRIGHT), scan(turned))


def test_scans_of_other_grids_are_not_compared() -> None:
    other = Scan(np.zeros((9, 10, 12)), "ZYX", (3, 0.5, 0.5), "mm", affine=np.eye(4))
    assert misplacement(scan(UPRIGHT), other) == ""
