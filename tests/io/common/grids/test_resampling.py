"""Tests of scans that are put on the grid of another scan."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.grids.resampling import resampled, shares_grid
from napari_unet_seg.io.common.scan import Scan


def turn(degrees: float) -> Any:
    angle = np.deg2rad(degrees)
    turned = np.eye(4)
    turned[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return turned


def places(scan: Scan) -> Any:
    """World coordinates of the voxels, of shape (3, Z, Y, X)."""
    assert scan.affine is not None
    z, y, x = np.indices(scan.grid_shape)
    return np.tensordot(scan.affine[:3, :3], np.stack([x, y, z]), 1) + scan.affine[:3, 3].reshape(
        3, 1, 1, 1
    )


def ramp(at: Any) -> Any:
    """A function of the place that linear interpolation gives exactly."""
    return 500 + 3 * at[0] - 2 * at[1] + 5 * at[2]


def scan_on(affine: Any, shape: tuple[int, ...]) -> Scan:
    empty = Scan(np.zeros(shape), "ZYX", affine=affine)
    return replace(empty, data=ramp(places(empty)))


FINE = np.diag([1.0, 1, 2, 1])
SHIFT = np.zeros((4, 4))
SHIFT[:2, 3] = 19


@pytest.mark.parametrize(
    "affine",
    [
        pytest.param(np.diag([2.0, 1.5, 3, 1]), id="coarser"),
        pytest.param(turn(180) @ np.diag([1.0, 1, 2, 1]) + SHIFT, id="flipped"),
        pytest.param(turn(7) @ np.diag([1.3, 1.3, 2, 1]), id="oblique"),
    ],
)
def test_voxels_are_those_of_the_same_place(affine: Any) -> None:
    onto, scan = scan_on(FINE, (10, 20, 20)), scan_on(affine, (8, 20, 20))
    moved = resampled(scan, onto)
    inside = np.tensordot(np.linalg.inv(affine)[:3, :3], places(onto), 1)
    inside += np.linalg.inv(affine)[:3, 3].reshape(3, 1, 1, 1)
    limits = np.array([19, 19, 7]).reshape(3, 1, 1, 1)
    seen = ((inside >= 0) & (inside <= limits)).all(0)
    assert seen.sum() > 500
    np.testing.assert_allclose(moved.data[seen], ramp(places(onto))[seen], rtol=1e-5)
    assert (moved.affine is onto.affine, moved.axes) == (True, "ZYX")


def test_a_rounding_error_puts_no_border_outside() -> None:
    onto = scan_on(FINE, (10, 20, 20))
    shifted = FINE.copy()
    shifted[:3, 3] = 1e-6
    moved = resampled(scan_on(shifted, (10, 20, 20)), onto)
    np.testing.assert_allclose(moved.data, onto.data, rtol=1e-4)


def test_outside_the_scan_there_is_background() -> None:
    onto, small = scan_on(FINE, (10, 20, 20)), scan_on(FINE, (4, 8, 8))
    assert (resampled(small, onto).data[6:, 12:, 12:] == 0).all()
    negative = replace(small, data=small.data - 2000)
    assert (resampled(negative, onto).data[6:, 12:, 12:] == negative.data.min()).all()


def test_grids_are_the_same_up_to_what_programs_round() -> None:
    one = scan_on(FINE, (10, 20, 20))
    for shift, same in ((0.05, True), (0.6, False)):
        moved = FINE.copy()
        moved[0, 3] = shift
        assert shares_grid(one, replace(one, affine=moved)) is same
    assert shares_grid(one, replace(one, affine=None))
    assert not shares_grid(one, scan_on(FINE, (10, 20, 21)))


def test_scans_without_a_place_cannot_be_moved() -> None:
    one, other = scan_on(FINE, (10, 20, 20)), Scan(np.zeros((9, 20, 20)), "ZYX")
    for pair in ((one, other), (other, one)):
        with pytest.raises(DataError, match="do not tell how both lie in the patient"):
            resampled(*pair)
