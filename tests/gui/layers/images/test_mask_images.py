"""The image that a mask was made from is recorded, and chosen by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtWidgets import QWidget
from scene import PLACE, SHAPE

from napari_unet_seg._napari.files.reader import scan_layers
from napari_unet_seg._napari.layers.conversion import add_labels
from napari_unet_seg._napari.layers.images.combo import UNKNOWN, MaskImageCombo
from napari_unet_seg._napari.layers.images.owner import image_of
from napari_unet_seg._napari.layers.images.recorder import record_images
from napari_unet_seg._napari.layers.layer_record import record_of
from napari_unet_seg._napari.widgets.form.layer_combo import LayerCombo
from napari_unet_seg.io.read import read_scan
from napari_unet_seg.io.write import write_mask

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

EMPTY = np.zeros(SHAPE, np.uint8)
CATEGORIES = {"categories": [{"id": 1, "name": "lesion", "supercategory": ""}]}


@pytest.fixture
def viewer() -> ViewerModel:
    """A viewer with two sequences of one grid, of which T1c is on top and active."""
    viewer = ViewerModel()
    for name in ("FLAIR", "T1c"):
        viewer.add_image(np.ones(SHAPE, np.uint8), name=name, **PLACE)
    return viewer


@pytest.fixture
def dock(qtbot: QtBot) -> QWidget:
    dock = QWidget()
    qtbot.addWidget(dock)
    return dock


def combos(viewer: ViewerModel, dock: QWidget) -> tuple[MaskImageCombo, LayerCombo]:
    masks = LayerCombo(viewer, lambda layer: layer.as_layer_data_tuple()[2] == "labels", dock)
    return MaskImageCombo(viewer, masks, dock), masks


def activate(viewer: ViewerModel, name: str) -> None:
    viewer.layers.selection.active = viewer.layers[name]


def test_looking_at_another_sequence_does_not_change_the_image_of_the_mask(
    viewer: ViewerModel, dock: QWidget
) -> None:
    images, _ = combos(viewer, dock)
    add_labels(viewer, EMPTY, viewer.layers["FLAIR"], (), "mask")
    for name in ("mask", "T1c", "mask", "FLAIR", "T1c"):
        activate(viewer, name)
        assert images.layer().name == "FLAIR", name


def test_another_image_is_a_choice_until_another_mask_is_chosen(
    viewer: ViewerModel, dock: QWidget
) -> None:
    images, masks = combos(viewer, dock)
    for name in ("T1c", "FLAIR"):
        add_labels(viewer, EMPTY, viewer.layers[name], (), f"{name} mask")
    images.setLayer(viewer.layers["T1c"])
    viewer.add_image(EMPTY, name="T2")
    activate(viewer, "FLAIR")
    assert images.layer().name == "T1c"
    masks.setLayer(viewer.layers["T1c mask"])
    masks.setLayer(viewer.layers["FLAIR mask"])
    assert images.layer().name == "FLAIR"


def test_a_mask_of_a_removed_image_asks_for_another(viewer: ViewerModel, dock: QWidget) -> None:
    images, _ = combos(viewer, dock)
    add_labels(viewer, EMPTY, viewer.layers["FLAIR"], (), "mask")
    viewer.layers.remove("FLAIR")
    assert images.layer() is None
    assert images.currentText() == UNKNOWN
    viewer.layers.remove("mask")
    assert images.layer().name == "T1c"


def test_a_mask_of_unknown_origin_asks_where_there_is_a_choice(
    viewer: ViewerModel, dock: QWidget
) -> None:
    images, _ = combos(viewer, dock)
    viewer.add_labels(EMPTY, name="mask")
    assert images.currentText() == UNKNOWN
    viewer.layers.remove("FLAIR")
    assert images.layer().name == "T1c"


def test_a_layer_drawn_on_the_active_image_is_recorded_as_its_mask(
    viewer: ViewerModel,
) -> None:
    record_images(viewer)
    for name in ("FLAIR", "T1c"):
        activate(viewer, name)
        viewer._new_labels()
        mask = viewer.layers[-1]
        record = record_of(mask)
        assert record.image == viewer.layers[name].unique_id
        assert record.scan is not None
        assert record.scan.spacing == (3, 0.5, 0.5)
        assert image_of(mask, [*viewer.layers][:2]) is viewer.layers[name]


def test_the_images_of_a_viewer_are_recorded_once(viewer: ViewerModel) -> None:
    record_images(viewer)
    callbacks = viewer.layers.events.inserted.callbacks
    record_images(viewer)
    assert viewer.layers.events.inserted.callbacks == callbacks


def test_a_layer_of_another_grid_or_place_does_not_take_the_grid_of_the_image(
    viewer: ViewerModel,
) -> None:
    record_images(viewer)
    other = viewer.add_labels(np.zeros((2, 9, 9), np.uint8), name="other grid")
    assert (record_of(other).image, record_of(other).scan) == (None, None)
    apart = viewer.add_labels(EMPTY, name="another place")
    assert record_of(apart).image == viewer.layers["T1c"].unique_id
    assert record_of(apart).scan is None


def write_nifti(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    nib.save(nib.Nifti1Image(np.ones(SHAPE, np.int16).T, np.eye(4)), path)
    return path


def read_into(viewer: ViewerModel, path: Path) -> Any:
    data, options, kind = scan_layers(read_scan(path), f"{path.parent.name}/{path.name}")[0]
    return getattr(viewer, f"add_{kind}")(data, **options)


@pytest.mark.parametrize("name", ["FLAIR_mask.nii.gz", "corrected.nii.gz"])
def test_a_mask_that_is_read_knows_its_image_by_its_name_or_its_description(
    tmp_path: Path, name: str
) -> None:
    viewer = ViewerModel()
    paths = [
        write_nifti(tmp_path / patient / f"{sequence}.nii.gz")
        for patient in ("p1", "p2")
        for sequence in ("FLAIR", "T1c")
    ]
    for path in paths:
        read_into(viewer, path)
    mask = paths[0].with_name(name)
    source = {} if "mask" in name else {"source": "FLAIR.nii.gz"}
    write_mask(mask, EMPTY, read_scan(paths[0]), CATEGORIES | source)
    record_images(viewer)
    layer = read_into(viewer, mask)
    assert record_of(layer).image == viewer.layers["p1/FLAIR.nii.gz"].unique_id
    assert record_of(layer).scan is not None
    assert record_of(layer).scan.path == mask
