"""Voxel sizes of layers, however they are placed, and the units that a viewer counts in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels

from napari_unet_seg._napari.layers.conversion import scan_from_layer
from napari_unet_seg._napari.layers.geometry import geometry_of, placement_of, voxel_size
from napari_unet_seg._napari.layers.position import go_to, place_of
from napari_unet_seg.io.common.scan import Scan

SHAPE = (4, 5, 6)
AFFINE = np.diag([3, 0.5, 0.5, 1])
TURNED = np.diag([3, 0.5, 0.4, 1])[[0, 2, 1, 3]]
"""With Y and X exchanged."""


def all_in(unit: str) -> tuple[str, ...]:
    return (unit,) * 3


@pytest.mark.parametrize(
    ("placed", "sizes", "unit"),
    [
        ({"scale": (-3, 1, 1), "units": all_in("mm")}, (3, 1, 1), "mm"),
        ({"affine": AFFINE, "units": all_in("mm")}, (3, 0.5, 0.5), "mm"),
        ({"affine": AFFINE, "scale": (1, 2, 3), "units": all_in("mm")}, (3, 1, 1.5), "mm"),
        ({"affine": TURNED, "units": all_in("mm")}, (3, 0.5, 0.4), "mm"),
        ({"scale": (3, 0.4, 0.3), "rotate": 30, "units": all_in("mm")}, (3, 0.4, 0.3), "mm"),
        ({"scale": (0.3, 0.05, 0.05), "units": all_in("cm")}, (3, 0.5, 0.5), "mm"),
        ({"scale": (0.003, 0.001, 0.001), "units": all_in("m")}, (3, 1, 1), "mm"),
        ({"scale": (3, 0.4688, 0.4688), "units": all_in("um")}, (3, 0.4688, 0.4688), "µm"),
        ({"scale": (300, 50, 50), "units": all_in("nm")}, (0.3, 0.05, 0.05), "µm"),
        ({"scale": (3, 500, 500), "units": ("mm", "um", "um")}, (3, 0.5, 0.5), "mm"),
        ({"scale": (9, 0.5, 0.5), "units": ("second", "mm", "mm")}, (9, 0.5, 0.5), "mm"),
        ({"scale": (3, 0.5, 0.5)}, (3, 0.5, 0.5), "pixel"),
        ({"scale": (3, 0.5, 0.5), "units": all_in("second")}, (3, 0.5, 0.5), "pixel"),
    ],
)
def test_the_voxel_size_is_that_in_the_world(
    placed: dict[str, Any], sizes: tuple[float, ...], unit: str
) -> None:
    layer = Labels(np.zeros(SHAPE, np.uint8), **placed)
    assert voxel_size(geometry_of(layer), 3) == (pytest.approx(sizes), unit)
    scan = scan_from_layer(layer)
    assert (scan.spacing, scan.unit) == (pytest.approx(sizes), unit)


def test_sizes_have_no_dust_of_rounding() -> None:
    placed = {"scale": (0.3, 0.4688, 7.1), "translate": (1e3, -5.3, 2), "units": all_in("um")}
    layer = Labels(np.zeros(SHAPE, np.uint8), **placed)
    assert voxel_size(geometry_of(layer), 3).sizes == (0.3, 0.4688, 7.1)


@pytest.mark.parametrize("units", [all_in("mm"), ("mm", "um", "um"), None])
def test_the_slice_is_found_in_any_units(units: Any) -> None:
    viewer = ViewerModel()
    labels = np.zeros(SHAPE, np.uint8)
    labels[:] = np.arange(1, 5)[:, None, None]
    layer = viewer.add_labels(labels, scale=(3, 500, 500), units=units)
    for index in (2, 0, 3):
        go_to(viewer, layer, index)
        assert place_of(viewer, layer) == (index,)
        assert layer.get_value((index, 2, 2)) == index + 1, "of the slice that napari shows"


def test_napari_shows_every_slice_of_a_placed_scan() -> None:
    affine = np.diag([0.7, 0.65, 0.6666666865348754, 1])
    affine[2, 3] = -45.988846414191826
    data = np.zeros((12, 4, 4), np.uint8)
    scan = Scan(data, "ZYX", spacing=(0.6666666865348754, 0.65, 0.7), affine=affine)
    viewer = ViewerModel()
    viewer.add_image(data, **placement_of(scan))
    assert viewer.dims.nsteps == data.shape
