"""Colours and order of categories, in every format that a mask is written in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import dask
import numpy as np
import pydicom
import pytest
from dicom_files import write_series
from napari.components import ViewerModel

from napari_unet_seg._napari.categories.edits import (
    listed_categories,
    move_category,
    recolour_category,
)
from napari_unet_seg._napari.categories.swatches import colour_of_label
from napari_unet_seg._napari.files import writer
from napari_unet_seg._napari.files.coco.layers import coco_layers
from napari_unet_seg._napari.files.reader import scan_layers
from napari_unet_seg._napari.layers import colours
from napari_unet_seg._napari.layers.conversion import add_labels, scan_options
from napari_unet_seg.config import Category
from napari_unet_seg.io.coco.read import read_coco
from napari_unet_seg.io.read import read_scan

if TYPE_CHECKING:
    from pathlib import Path

    from napari.layers import Labels

KINDS = (Category(id=7, name="core"), Category(id=9, name="rim"))
CHOSEN = ["#123456", "#0080ff"]


@pytest.fixture(autouse=True)
def unknown_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """No colour is known, as after the start of napari."""
    monkeypatch.setattr(colours, "_colours", {})
    monkeypatch.setattr(colours, "_chosen", set())


@pytest.fixture
def mask(tmp_path: Path) -> Labels:
    """A mask of a DICOM series, with other colours and in another order than by itself."""
    viewer = ViewerModel()
    scan = read_scan(write_series(tmp_path / "series", [0, 2]))
    image = viewer.add_image(np.asarray(scan.data), **scan_options(scan, "head"))
    labels = np.zeros((2, 16, 16), np.uint8)
    labels[0, 2:5, 2:5], labels[1, 9:12, 9:12] = 1, 2
    mask = add_labels(viewer, labels, image, KINDS, "mask")
    for value, colour in enumerate(CHOSEN, 1):
        recolour_category(mask, value, colour)
    move_category(mask, 2, -1)
    return mask


def reopened(path: Path, monkeypatch: pytest.MonkeyPatch) -> Labels:
    monkeypatch.setattr(colours, "_colours", {})
    monkeypatch.setattr(colours, "_chosen", set())
    with dask.config.set(scheduler="synchronous"):
        ((data, options, _),) = scan_layers(read_scan(path), "again")
    again: Any = ViewerModel().add_labels(data, **options)
    return again


WRITERS = {
    "mask.tif": writer.write_tiff,
    "mask.nii.gz": writer.write_nifti,
    "mask.ome.zarr": writer.write_ome_zarr,
    "mask.dcm": writer.write_dicom_seg,
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_mask_keeps_its_colours_and_their_order(
    mask: Labels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    data, attributes, _ = mask.as_layer_data_tuple()
    WRITERS[name](str(tmp_path / name), data, attributes)
    again = reopened(tmp_path / name, monkeypatch)
    assert [colour_of_label(again, value).name() for value in (1, 2)] == CHOSEN
    assert [category.name for _, category in listed_categories(again)] == ["rim", "core"]


def test_other_viewers_find_the_colours(mask: Labels, tmp_path: Path) -> None:
    data, attributes, _ = mask.as_layer_data_tuple()
    writer.write_ome_zarr(str(tmp_path / "mask.ome.zarr"), data, attributes)
    (stored,) = [
        found
        for path in (tmp_path / "mask.ome.zarr").rglob("*")
        if path.name in (".zattrs", "zarr.json") and '"colors"' in (found := path.read_text())
    ]
    assert '"rgba":[18,52,86,255]' in "".join(stored.split())
    writer.write_dicom_seg(str(tmp_path / "mask.dcm"), data, attributes)
    first, _ = pydicom.dcmread(tmp_path / "mask.dcm").SegmentSequence
    assert len(first.RecommendedDisplayCIELabValue) == 3


def test_a_coco_file_keeps_the_colours_that_were_chosen(
    mask: Labels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "set.json"
    writer.write_coco(str(path), [mask.as_layer_data_tuple()])
    colours_of = [c["color"] for c in json.loads(path.read_text())["categories"]]
    assert colours_of == [[0x12, 0x34, 0x56], [0, 0x80, 0xFF]]
    monkeypatch.setattr(colours, "_colours", {})
    monkeypatch.setattr(colours, "_chosen", set())
    coco_layers(read_coco(path), [])  # without the images
    assert [colours.category_colour(kind.name) for kind in KINDS] == CHOSEN


def test_a_colour_that_a_person_chose_is_not_replaced_by_that_of_a_file() -> None:
    colours.choose_colour("core", "#123456")
    colours.adopt_colours({"core": "#ffffff", "rim": "#0080ff", "cyst": "blue"})
    assert [colours.category_colour(name) for name in ("core", "rim")] == CHOSEN
    assert colours.category_colour("cyst").startswith("#")
