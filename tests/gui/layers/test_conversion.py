from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import dask.array as da
import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from napari.layers import Image, Labels
from napari.layers._source import layer_source

from napari_unet_seg._napari.layers.colours import category_colormap, category_colour
from napari_unet_seg._napari.layers.conversion import (
    add_labels,
    add_map,
    categories_of,
    is_user_layer,
    scan_from_layer,
    scan_options,
)
from napari_unet_seg._napari.layers.geometry import geometry_of
from napari_unet_seg._napari.layers.layer_record import (
    EMPTY_RECORD,
    LayerRecord,
    MapRecord,
    record_of,
)
from napari_unet_seg.config import Category
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.images.tiff import read_tiff

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("dask_without_threads")
LESION = Category(id=0, name="lesion")
OEDEMA = Category(id=7, name="oedema", supercategory="finding")


@pytest.mark.parametrize(
    ("shape", "rgb", "axes"),
    [
        ((20, 30), False, "YX"),
        ((20, 30, 3), True, "YXC"),
        ((5, 20, 30), False, "ZYX"),
        ((5, 20, 30, 4), True, "ZYXC"),
        ((2, 5, 20, 30), False, "TZYX"),
        ((3, 2, 5, 20, 30), False, "PTZYX"),
    ],
)
def test_axes_of_a_layer(shape: tuple[int, ...], rgb: bool, axes: str) -> None:
    scan = scan_from_layer(Image(np.zeros(shape, np.uint8), rgb=rgb))

    assert scan.axes == axes
    assert scan.grid_shape == shape[: len(axes.replace("C", ""))]


@pytest.mark.parametrize(
    ("shape", "said", "axes"),
    [
        ((5, 20, 30), {"axis_labels": ("t", "y", "x")}, "TYX"),
        ((5, 20, 30), {"axis_labels": ("Time", "row", "column")}, "TYX"),
        ((5, 20, 30), {"units": ("second", "mm", "mm")}, "TYX"),
        ((5, 20, 30), {"units": ("hour", "pixel", "pixel")}, "TYX"),
        ((5, 20, 30), {"axis_labels": ("z", "y", "x"), "units": ("mm",) * 3}, "ZYX"),
        ((2, 5, 20, 30), {"units": ("ms", "mm", "mm", "mm")}, "TZYX"),
        ((2, 5, 20, 30), {"axis_labels": ("z", "t", "y", "x")}, "ZTYX"),
        ((3, 2, 5, 20, 30), {"axis_labels": ("t", "q", "z", "y", "x")}, "TPZYX"),
        ((20, 30), {"axis_labels": ("t", "x")}, "YX"),
    ],
)
def test_time_is_what_labels_or_units_say(
    shape: tuple[int, ...], said: dict[str, tuple[str, ...]], axes: str
) -> None:
    viewer = ViewerModel()
    image = viewer.add_image(np.zeros(shape, np.uint8), **said)
    mask = add_labels(viewer, np.zeros(shape, np.uint8), image, (LESION,), "mask")

    assert scan_from_layer(image).axes == axes
    assert scan_from_layer(mask).axes == axes
    assert (mask.axis_labels, mask.units) == (image.axis_labels, image.units)


@pytest.mark.parametrize("dtype", [bool, np.int32, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("lazy", [False, True])
def test_any_real_dtype_numpy_or_dask(dtype: type, lazy: bool) -> None:
    data = np.eye(20).astype(dtype)
    scan = scan_from_layer(Image(da.from_array(data) if lazy else data))

    assert scan.data.dtype == (np.uint8 if dtype is bool else dtype)
    assert isinstance(scan.data, da.Array) == lazy
    np.testing.assert_array_equal(np.asarray(scan.data), data)


def test_of_multiscale_the_full_resolution_is_taken() -> None:
    full = np.arange(64 * 64, dtype=np.float32).reshape(64, 64)
    scan = scan_from_layer(Image([full, full[::2, ::2]], multiscale=True, scale=(2, 3)))

    assert scan.data is full
    assert scan.spacing == (2, 3)


def test_spacing_and_unit_come_from_the_layer() -> None:
    layer = Image(np.zeros((4, 20, 20)), scale=(3, 0.5, 0.5), units=("mm",) * 3)
    scan = scan_from_layer(layer)

    assert (scan.spacing, scan.unit) == ((3, 0.5, 0.5), "mm")


def test_scan_goes_through_a_layer_and_back() -> None:
    scan = Scan(
        np.zeros((4, 20, 30), np.uint8),
        "NYX",
        (1, 2, 2),
        "mm",
        names=("a", "b", "c", "d"),
        affine=np.diag([2.0, 2, 1, 1]),
        meta={"turn": 1},
    )
    layer = Image(scan.data, **scan_options(scan, "stack"))
    found = scan_from_layer(layer)

    for name in ("axes", "spacing", "unit", "names", "affine", "meta"):
        assert getattr(found, name) is getattr(scan, name) or getattr(found, name) == getattr(
            scan, name
        )
    assert tuple(str(unit) for unit in layer.units) == ("pixel", "millimeter", "millimeter")
    assert record_of(layer).scan.data.strides == (0, 0, 0), "keeps no pixels alive"


def test_a_stored_grid_of_another_shape_is_not_trusted() -> None:
    scan = Scan(np.zeros((4, 20, 30)), "ZYX", meta={"turn": 1})
    layer = Image(scan.data[:2], **scan_options(scan, "cropped"))

    assert scan_from_layer(layer).meta == {}


def test_mask_lies_where_its_image_lies() -> None:
    viewer = ViewerModel()
    image = viewer.add_image(
        np.zeros((4, 20, 30)),
        scale=(3, 0.5, 0.5),
        translate=(1, 2, 3),
        rotate=30,
        shear=(0.1, 0, 0),
        affine=np.array([[1, 0, 0, 5], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1.0]]),
        units=("mm",) * 3,
    )
    mask = add_labels(viewer, np.ones((4, 20, 30), np.uint8), image, (LESION,), "mask")

    corners = np.array([[0, 0, 0], [3, 19, 29], [1, 7, 3]])
    for corner in corners:
        np.testing.assert_allclose(mask.data_to_world(corner), image.data_to_world(corner))
    for name, value in geometry_of(image).items():
        assert np.array_equal(np.asarray(getattr(mask, name)), np.asarray(value)), name


def test_mask_of_a_colour_image_has_no_channel_axis() -> None:
    viewer = ViewerModel()
    image = viewer.add_image(np.zeros((4, 20, 30, 3), np.uint8), rgb=True)
    mask = add_labels(viewer, np.zeros((4, 20, 30), np.uint8), image, (LESION,), "mask")

    assert mask.ndim == 3


def test_mask_of_another_grid_is_refused_with_both() -> None:
    viewer = ViewerModel()
    image = viewer.add_image(np.zeros((20, 30)), name="slice")

    with pytest.raises(DataError, match=r"mask of .*\(20, 31\) and slice of \(20, 30\)"):
        add_labels(viewer, np.zeros((20, 31), np.uint8), image, (), "mask of")
    assert len(viewer.layers) == 1


def test_lazy_masks_can_be_painted_and_undone() -> None:
    viewer = ViewerModel()
    image = viewer.add_image(np.zeros((3, 20, 30)))
    mask = add_labels(viewer, da.zeros((3, 20, 30), dtype=np.uint8), image, (LESION,), "mask")

    mask.paint((1, 10, 10), 1)
    painted = int((mask.data == 1).sum())
    mask.undo()

    assert painted > 0
    assert not mask.data.any()


def test_mask_carries_its_categories() -> None:
    viewer = ViewerModel()
    image = viewer.add_image(np.zeros((20, 30)))
    mask = add_labels(viewer, np.zeros((20, 30), np.uint8), image, (LESION, OEDEMA), "mask")

    assert categories_of(mask) == (LESION, OEDEMA)
    assert list(mask.features["index"]) == [0, 1, 2]
    assert list(mask.features["category"]) == ["background", "lesion", "oedema"]
    assert record_of(mask).scan.grid_shape == (20, 30)


def test_colour_follows_the_name_not_the_place() -> None:
    first = category_colormap((LESION, OEDEMA)).color_dict
    second = category_colormap((OEDEMA, LESION)).color_dict

    np.testing.assert_array_equal(first[1], second[2])
    np.testing.assert_array_equal(first[2], second[1])
    assert not np.array_equal(first[1], first[2])
    assert first[0][3] == 0


def test_a_dozen_names_have_a_dozen_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_unet_seg._napari.layers.colours._colours", {})

    assert len({category_colour(f"class {n}") for n in range(12)}) == 12
    assert category_colour("one too many").startswith("#")


def test_maps_lie_over_the_image_and_tell_that_they_are_maps() -> None:
    viewer = ViewerModel()
    mask = viewer.add_labels(np.zeros((4, 20, 30), np.uint8), name="mask", scale=(3, 1, 1))
    layer = add_map(viewer, np.full((4, 20, 30), 0.25, np.float16), mask, "certainty", high=2)

    assert layer.name == "mask · certainty"
    assert not is_user_layer(layer, Image)
    assert tuple(layer.scale) == (3, 1, 1)
    assert layer.contrast_limits == [0, 2]
    assert record_of(layer).map == MapRecord("certainty", mask.unique_id)


def test_images_of_ten_dimensions_are_refused() -> None:
    layer = Image(np.zeros((1,) * 10 + (20, 30)), name="much")

    with pytest.raises(DataError, match="layer much has 12 dimensions"):
        scan_from_layer(layer)


def test_metadata_of_others_is_left_alone() -> None:
    layer = Image(np.zeros((20, 30)), metadata={"other": 1})

    assert record_of(layer) is EMPTY_RECORD
    assert layer.metadata == {"other": 1}
    assert replace(scan_from_layer(layer), data=np.zeros((20, 30))).grid_axes == "YX"


@pytest.mark.parametrize("record", [LayerRecord(map=MapRecord("")), LayerRecord(preview="box")])
def test_what_the_plugin_drew_is_not_offered_as_a_scan(record: LayerRecord) -> None:
    data = np.zeros((8, 8))
    drawn = Image(data, metadata=record.as_metadata())
    assert is_user_layer(Image(data), Image)
    assert not is_user_layer(drawn, Image)
    assert not is_user_layer(Image(data), Labels)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
def test_greys_of_which_0_is_white_are_those_of_the_program(tmp_path: Path, dtype: type) -> None:
    path = tmp_path / "a.tif"
    stored = np.arange(12, dtype=dtype).reshape(3, 4)
    tifffile.imwrite(path, stored, photometric="miniswhite", metadata=None)
    with layer_source(path=str(path)):
        image = Image(tifffile.imread(path))  # as napari reads it
    scan = scan_from_layer(image)
    assert isinstance(scan.data, da.Array), "nothing is inverted before it is needed"
    assert scan.data.dtype == dtype
    assert np.asarray(scan.data).tolist() == read_tiff(path).data.tolist()
