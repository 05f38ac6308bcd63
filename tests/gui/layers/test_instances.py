"""Masks whose labels are single annotations: opened, painted, named and saved."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from category_list import click_cell, counts, middle
from dicom_files import write_series
from napari.components import LayerList
from napari.layers import Labels as LabelsLayer
from napari.layers._layer_actions import _duplicate_layer
from PIL import Image as Picture
from pycocotools.coco import COCO
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialogButtonBox

from napari_unet_seg._napari.categories.category_tree import NAME_COLUMN
from napari_unet_seg._napari.coco.widget import ImportCocoWidget
from napari_unet_seg._napari.files.coco.options import CocoOptionsDialog, coco_options
from napari_unet_seg._napari.files.reader import scan_layers
from napari_unet_seg._napari.files.writer import write_coco, write_dicom_seg, write_tiff
from napari_unet_seg._napari.layers.conversion import categories_of, grid_of
from napari_unet_seg._napari.layers.instances import category_of, is_instances, stored_options
from napari_unet_seg._napari.layers.layer_record import LayerRecord, record_of
from napari_unet_seg._napari.session.session_layers import session_arguments
from napari_unet_seg._napari.train.source import source_from_layers
from napari_unet_seg._napari.widgets.settings import recall
from napari_unet_seg.config import Category, CocoOptions
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.masks.labels import to_classes
from napari_unet_seg.io.read import read_labels, read_scan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari.layers import Image, Labels
    from pytestqt.qtbot import QtBot


pytestmark = pytest.mark.usefixtures("dask_without_threads")


def _box(x: int, y: int, width: int, height: int) -> list[list[int]]:
    return [[x, y, x + width, y, x + width, y + height, x, y + height]]


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    """Two images: two gliomas that touch and one below a meningioma; a crowd with attributes."""
    for name in ("a.png", "b.png"):
        Picture.fromarray(np.zeros((30, 40), np.uint8)).save(tmp_path / name)
    head = {"image_id": 5, "category_id": 0, "iscrowd": 0}
    document = {
        "images": [
            {"id": n, "file_name": name, "width": 40, "height": 30}
            for n, name in ((5, "a.png"), (6, "b.png"))
        ],
        "categories": [{"id": 0, "name": "glioma"}, {"id": 300, "name": "meningioma"}],
        "annotations": [
            {**head, "id": 2**53 + 1, "segmentation": _box(2, 2, 5, 5), "own": [1]},
            {**head, "id": 7, "segmentation": _box(7, 2, 5, 5)},
            {**head, "id": 8, "segmentation": _box(20, 20, 2, 2)},
            {**head, "id": 9, "category_id": 300, "segmentation": _box(19, 19, 6, 6)},
            {
                **head,
                "id": 10,
                "image_id": 6,
                "iscrowd": 1,
                "segmentation": {"size": [30, 40], "counts": [0, 90, 1110]},
                "attributes": {"grade": 2},
            },
        ],
    }
    path = tmp_path / "set.json"
    path.write_text(json.dumps(document))
    return path


@pytest.fixture
def widget(dock: Callable[..., Any]) -> ImportCocoWidget:
    return dock(ImportCocoWidget)


@pytest.fixture
def layers(widget: ImportCocoWidget, coco: Path, qtbot: QtBot) -> tuple[Image, Labels]:
    """The data set as the form opens it with one label for each annotation."""
    with qtbot.waitSignal(widget.inspected):
        widget.setPath(coco)
    qtbot.waitUntil(widget.open_button.isEnabled)
    widget.values.setCurrentIndex(1)
    with qtbot.waitSignal(widget.opened) as opened:
        qtbot.mouseClick(widget.open_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(widget.open_button.isEnabled)
    image, mask = opened.args[0]
    return image, mask


@pytest.fixture
def mask(layers: tuple[Image, Labels]) -> Labels:
    return layers[1]


def _save(mask: Labels, path: Path) -> dict[str, Any]:
    write_coco(str(path), [mask.as_layer_data_tuple()])
    return json.loads(path.read_text())


def _paint(mask: Labels, plane: int, rows: slice, columns: slice, value: int) -> None:
    grid = np.mgrid[plane : plane + 1, rows, columns].reshape(3, -1)
    mask.data_setitem(tuple(grid), value)


def _click(widget: ImportCocoWidget, qtbot: QtBot, name: str) -> None:
    click_cell(widget.legend, name)


def _pressed(widget: ImportCocoWidget) -> list[str]:
    return [item.text(NAME_COLUMN) for item in widget.legend.tree.selectedItems()]


def test_every_annotation_is_a_label_with_a_row(widget: ImportCocoWidget, mask: Labels) -> None:
    table = mask.features

    assert np.unique(mask.data[0]).tolist() == [0, 1, 2, 4]
    assert np.unique(mask.data[1]).tolist() == [0, 5]
    assert table["annotation_id"].tolist() == [None, 2**53 + 1, 7, 8, 9, 10]
    assert table["category"].tolist() == ["background", *["glioma"] * 3, "meningioma", "glioma"]
    assert table["iscrowd"].tolist() == [None, 0, 0, 0, 0, 1]
    assert table["attributes"].tolist() == [None] * 5 + ['{"grade": 2}']
    assert table["image"].tolist() == [None, *["a.png"] * 4, "b.png"]
    widget.viewer.dims.set_point(0, 1)
    status = mask.get_status((1, 0, 0), view_direction=np.array([1.0, 0, 0]), world=True)
    assert "annotation_id: 10" in status["coordinates"]
    assert 'attributes: {"grade": 2}' in status["coordinates"]
    assert "In 1 images later annotations cover 1 others, 1 of them" in widget.status.text()


def test_neighbours_of_one_category_are_told_apart_by_shades(mask: Labels) -> None:
    colours = [tuple(mask.get_color(value)) for value in (1, 2, 3, 4)]

    assert len({*colours}) == 4
    assert mask.get_color(0) is None, "the background is not transparent"


def test_saved_unedited_it_is_the_same_document(mask: Labels, coco: Path, tmp_path: Path) -> None:
    assert _save(mask, tmp_path / "out.json") == json.loads(coco.read_text())
    assert (tmp_path / "out.json").read_text() == coco.read_text()


def test_one_edit_changes_one_annotation(mask: Labels, coco: Path, tmp_path: Path) -> None:
    _paint(mask, 0, slice(2, 4), slice(6, 9), 1)
    before = json.loads(coco.read_text())["annotations"]
    after = _save(mask, tmp_path / "out.json")["annotations"]

    assert [a["id"] for a in after] == [a["id"] for a in before]
    assert [a == b for a, b in zip(after, before, strict=True)] == [False, False, True, True, True]
    assert (after[0]["own"], after[0]["area"], after[1]["area"]) == ([1], 29, 21)
    COCO(str(tmp_path / "out.json"))


def test_a_click_in_the_legend_starts_an_object(
    widget: ImportCocoWidget, mask: Labels, tmp_path: Path, qtbot: QtBot
) -> None:
    assert widget.legend.tree.names() == ["glioma", "meningioma"]
    assert counts(widget.legend) == ["4", "1"]  # objects
    assert _pressed(widget) == ["glioma"]  # of label 1, which is selected
    _click(widget, qtbot, "meningioma")
    assert (mask.selected_label, _pressed(widget)) == (6, ["meningioma"])
    _paint(mask, 1, slice(20, 24), slice(20, 24), 6)
    _click(widget, qtbot, "meningioma")
    assert mask.selected_label == 7
    _paint(mask, 1, slice(20, 24), slice(24, 28), 7)
    mask.selected_label = 5
    assert _pressed(widget) == ["glioma"]
    after = _save(mask, tmp_path / "out.json")["annotations"]

    assert [(a["id"], a["image_id"], a["category_id"], a["area"]) for a in after[5:]] == [
        (2**53 + 2, 6, 300, 16),
        (2**53 + 3, 6, 300, 16),
    ]
    assert not np.allclose(mask.get_color(6), mask.get_color(7))


def test_a_label_without_a_category_is_refused_until_it_has_one(
    widget: ImportCocoWidget, mask: Labels, tmp_path: Path, qtbot: QtBot
) -> None:
    mask.selected_label = 20  # as napari's own button or key for a new label does
    _paint(mask, 0, slice(25, 28), slice(2, 5), 20)
    assert _pressed(widget) == []
    with pytest.raises(DataError, match=r"holds the label 20, which has no category; select"):
        _save(mask, tmp_path / "out.json")
    assert not (tmp_path / "out.json").exists()
    _click(widget, qtbot, "meningioma")
    assert mask.selected_label == 20
    assert _save(mask, tmp_path / "out.json")["annotations"][-1]["category_id"] == 300
    _click(widget, qtbot, "glioma")
    assert mask.selected_label == 21


def test_a_label_that_was_selected_once_is_not_given_to_another_object(
    widget: ImportCocoWidget, mask: Labels, qtbot: QtBot
) -> None:
    mask.selected_label = 30
    mask.selected_label = 1
    _click(widget, qtbot, "glioma")

    assert mask.selected_label == 31
    assert category_of(mask, 30) is None


def test_the_right_button_gives_an_object_another_category(
    widget: ImportCocoWidget, mask: Labels, coco: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    mask.selected_label = 2
    place = middle(widget.legend, "meningioma")
    before = mask.get_color(2)
    widget.legend.tree.customContextMenuRequested.emit(place)
    assert _pressed(widget) == ["meningioma"]
    assert not np.allclose(mask.get_color(2), before)
    old = json.loads(coco.read_text())["annotations"]
    new = _save(mask, tmp_path / "out.json")["annotations"]

    assert new == [old[0], {**old[1], "category_id": 300}, *old[2:]]
    mask.selected_label = 50
    widget.legend.tree.customContextMenuRequested.emit(place)
    assert category_of(mask, 50) is None


def test_a_copy_of_the_layer_is_saved_alike(mask: Labels, coco: Path, tmp_path: Path) -> None:
    layers = LayerList([mask])
    layers.selection.active = mask
    _duplicate_layer(layers)

    assert _save(layers[1], tmp_path / "out.json") == json.loads(coco.read_text())


def test_a_mask_cut_from_its_stack_is_written_as_a_file_of_its_own(
    mask: Labels, tmp_path: Path
) -> None:
    mask.data = mask.data[:1].copy()
    document = _save(mask, tmp_path / "out.json")

    assert [a["category_id"] for a in document["annotations"]] == [0, 0, 300]
    assert [a["area"] for a in document["annotations"]] == [25, 25, 36]


def test_training_takes_the_categories(layers: tuple[Image, Labels]) -> None:
    source = source_from_layers(*layers, only_labelled=True)

    assert source.categories == categories_of(layers[1])
    assert [np.unique(plane).tolist() for plane in source.labels] == [[0, 1, 2], [0, 1]]


def test_labels_that_no_row_names_are_no_class() -> None:
    category = Category(id=3, name="lesion")
    labels = to_classes(np.array([0, 1, 9, 70_000]), {9: category}, [category])

    assert labels.tolist() == [0, 0, 1, 0]


def test_a_session_needs_categories(layers: tuple[Image, Labels]) -> None:
    with pytest.raises(DataError, match="import it with one label per category"):
        session_arguments(*layers)


def test_the_choice_is_remembered(
    widget: ImportCocoWidget, mask: Labels, dock: Callable[..., Any]
) -> None:
    assert record_of(mask).values == "instances"
    assert dock(ImportCocoWidget).values.currentData() == "instances"


def test_the_options_are_asked_remembered_and_used(
    mask: Labels, tmp_path: Path, qtbot: QtBot, notifications: list[str]
) -> None:
    _paint(mask, 0, slice(4, 5), slice(4, 5), 0)  # a hole in the first
    dialog = CocoOptionsDialog()
    qtbot.addWidget(dialog)
    dialog.form.editor("segmentation").value = "polygons"
    dialog.buttons.button(QDialogButtonBox.StandardButton.Ok).click()
    assert coco_options() == CocoOptions(segmentation="polygons")
    first = _save(mask, tmp_path / "out.json")["annotations"][0]
    assert (len(first["segmentation"]), first["area"]) == (2, 24)
    assert notifications == [
        "1 mask with holes was cut into adjacent polygons, because COCO polygons have no holes."
    ]
    again = CocoOptionsDialog()
    qtbot.addWidget(again)
    assert again.form.value().segmentation == "polygons"
    again.buttons.button(QDialogButtonBox.StandardButton.RestoreDefaults).click()
    again.reject()
    assert recall("coco/options")["segmentation"] == "polygons"


def test_objects_stay_objects_in_a_mask_file(mask: Labels, tmp_path: Path) -> None:
    data, attributes, _ = mask.as_layer_data_tuple()
    write_tiff(str(tmp_path / "mask.tif"), data, attributes)
    ((array, options, _),) = scan_layers(read_scan(tmp_path / "mask.tif"), "again")
    again = LabelsLayer(array, **options)

    np.testing.assert_array_equal(again.data, mask.data)
    assert again.features["category"].tolist() == mask.features["category"].tolist()
    for column in ("annotation_id", "image", "iscrowd", "attributes"):
        assert again.features[column].tolist() == mask.features[column].tolist()
    assert is_instances(again)
    assert np.unique(read_labels(tmp_path / "mask.tif").data).tolist() == [0, 1, 2]


def test_a_dicom_seg_holds_the_categories(
    tmp_path: Path, coco: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = read_scan(write_series(tmp_path / "series", [0, 2], shape=(30, 40)))
    labels = np.zeros((2, 30, 40), np.uint16)
    labels[0, 2:5, 2:5], labels[1, 9:12, 9:12] = 1, 2
    kinds = (Category(id=0, name="glioma"), Category(id=300, name="meningioma"))
    rows = [[1, 300, None], [2, 300, None]]
    options = stored_options(rows, kinds, "mask", LayerRecord(scan=grid_of(scan)))
    write_dicom_seg(str(tmp_path / "mask.dcm"), labels, options)

    again = read_labels(tmp_path / "mask.dcm")
    np.testing.assert_array_equal(again.data > 0, labels > 0)
    assert [c["name"] for c in again.meta["description"]["categories"]] == ["glioma", "meningioma"]
    assert np.unique(again.data).tolist() == [0, 2]
