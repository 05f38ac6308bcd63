from __future__ import annotations

import numpy as np
import pytest

from napari_unet_seg.io.common.grids.orientation import (
    directions_of,
    is_mirrored,
    plane_views,
    turned_back,
    turned_scan,
    view_across,
)
from napari_unet_seg.io.common.scan import Scan

AXES = {"L": (-1, 0, 0), "P": (0, -1, 0), "S": (0, 0, 1)}
AXES |= {"R": (1, 0, 0), "A": (0, 1, 0), "I": (0, 0, -1)}
"""Directions of RAS+."""


def scan(directions: str, shape: tuple[int, ...] = (3, 4, 5), axes: str = "ZYX") -> Scan:
    """A volume whose Z, Y and X run towards these sides of the patient, tilted a little."""
    affine = np.eye(4)
    affine[:3, :3] = np.array([AXES[letter] for letter in reversed(directions)]).T * (3, 2, 1)
    affine[:3, :3] += 0.1
    data = np.arange(np.prod(shape)).reshape(shape)
    return Scan(data, axes, (1.0,) * (len(axes) - 3) + (1.0, 2.0, 3.0), "mm", affine=affine)


@pytest.mark.parametrize("directions", ["SPL", "LIP", "PIL", "RAS", "ASL", "IRA"])
def test_directions_are_those_of_the_affine(directions: str) -> None:
    assert directions_of(scan(directions)) == directions


def test_without_an_affine_or_a_volume_nothing_is_known() -> None:
    assert directions_of(Scan(np.zeros((2, 3, 4)), "ZYX")) == ""
    assert directions_of(Scan(np.zeros((2, 3, 4)), "NYX", affine=np.eye(4))) == ""


@pytest.mark.parametrize(
    ("directions", "plane", "axes", "flips"),
    [
        ("SPL", "axial", (0, 1, 2), (False, False)),
        ("SPL", "coronal", (1, 0, 2), (True, False)),
        ("SPL", "sagittal", (2, 0, 1), (True, False)),
        ("LIP", "sagittal", (0, 1, 2), (False, False)),
        ("LIP", "axial", (1, 2, 0), (False, False)),
        ("RAS", "coronal", (1, 2, 0), (True, True)),
    ],
)
def test_planes_are_upright(
    directions: str, plane: str, axes: tuple[int, ...], flips: tuple[bool, ...]
) -> None:
    view = plane_views(directions)[plane]
    assert (view.axes, view.flips) == (axes, flips)
    assert view_across(directions, axes[0]) == view


def test_unknown_planes_are_those_of_the_array() -> None:
    assert [(v.name, v.axes) for v in plane_views("").values()] == [
        ("XY", (0, 1, 2)),
        ("XZ", (1, 0, 2)),
        ("YZ", (2, 0, 1)),
    ]


@pytest.mark.parametrize(
    ("directions", "mirrored"), [("RAS", False), ("LPS", False), ("SPL", True)]
)
def test_handedness(directions: str, mirrored: bool) -> None:
    assert is_mirrored(directions) is mirrored


@pytest.mark.parametrize("directions", ["SPL", "LIP", "RAS"])
@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_a_turned_scan_lies_as_on_screen_and_turns_back(directions: str, plane: str) -> None:
    source, view = scan(directions), plane_views(directions)[plane]
    turned = turned_scan(source, view)
    # The first row is the top, the first column the left; both by the affine of the source.
    towards = {"axial": "PL", "coronal": "IL", "sagittal": "IP"}[plane]
    steps = {"X": 1, "Y": 5, "Z": 20}
    for axis, letter in ((1, towards[0]), (2, towards[1])):
        step = np.diff(turned.data, axis=axis).ravel()
        assert len(set(step)) == 1
        name = next(name for name, size in steps.items() if size == abs(step[0]))
        column = source.affine[:3, "XYZ".index(name)] * np.sign(step[0])
        assert np.argmax(np.abs(column)) == np.argmax(np.abs(AXES[letter]))
        assert column @ AXES[letter] > 0
    assert turned.spacing == tuple((1.0, 2.0, 3.0)[axis] for axis in view.axes)
    number = 1
    plane_of_source = source.data.take(number, axis=view.axes[0])
    np.testing.assert_array_equal(turned_back(turned.data[number], view), plane_of_source)


def test_times_and_channels_stay_where_they_are() -> None:
    values = np.arange(2 * 3 * 4 * 5 * 2).reshape(2, 3, 4, 5, 2)
    view = plane_views("SPL")["coronal"]
    turned = turned_scan(Scan(values, "TZYXC", affine=scan("SPL").affine), view)
    np.testing.assert_array_equal(turned.data[1, 2, ..., 1], values[1, ::-1, 2, :, 1])
