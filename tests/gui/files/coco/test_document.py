"""All masks of a COCO file are one document, which other programs may change too."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
from PIL import Image as Picture
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QApplication
from sessions import start_session

from napari_unet_seg._napari.files.changed_dialog import ChangedDialog
from napari_unet_seg._napari.files.coco.layers import coco_layers, coco_stacks
from napari_unet_seg._napari.layers.conversion import categories_of
from napari_unet_seg._napari.review.widget import ReviewWidget
from napari_unet_seg.errors import ChangedError, DataError
from napari_unet_seg.io.coco.read import read_coco

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari.layers import Labels
    from pytestqt.qtbot import QtBot

pytestmark = [pytest.mark.gui, pytest.mark.usefixtures("only_this_plugin")]

SIZES = {1: (30, 40), 2: (25, 50)}
PLUGIN = "napari-unet-seg"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    images, annotations = [], []
    for number, (height, width) in SIZES.items():
        name = f"{number}.png"
        Picture.fromarray(np.zeros((height, width), np.uint8)).save(tmp_path / name)
        images.append({"id": number, "file_name": name, "width": width, "height": height})
        square = [[2, 3, 12, 3, 12, 9, 2, 9]]
        annotations.append(
            {"id": number, "image_id": number, "category_id": 4, "segmentation": square}
        )
    categories = [{"id": 4, "name": "lesion"}]
    path = tmp_path / "set.json"
    path.write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": categories})
    )
    return path


@pytest.fixture
def widget(dock: Callable[[type], Any]) -> ReviewWidget:
    return dock(ReviewWidget)


def _open(widget: ReviewWidget, path: Path, values: Any = "classes") -> list[Labels]:
    dataset = read_coco(path)
    stacks = coco_stacks(dataset, values=values)
    layers = [widget.viewer._add_layer_from_data(*data)[0] for data in coco_layers(dataset, stacks)]
    return layers[1::2]


def _erase(mask: Labels) -> None:
    """Erase the upper two of six rows of ten pixels."""
    grid = np.mgrid[0:1, 3:5, 2:12].reshape(3, -1)
    mask.data_setitem(tuple(grid), 0)


def _areas(path: Path) -> dict[int, Any]:
    return {a["id"]: a.get("area") for a in json.loads(path.read_text())["annotations"]}


def _save(qtbot: QtBot, widget: ReviewWidget, mask: Labels, path: Path) -> None:
    widget.mask_combo.setLayer(mask)
    with qtbot.waitSignal(widget.written):
        widget.save_coco(path)
    qtbot.waitUntil(lambda: not widget.desk.busy)


def _change(path: Path, **changes: Any) -> None:
    document = json.loads(path.read_text())
    document["annotations"][0].update(changes)
    path.write_text(json.dumps(document))


@pytest.mark.parametrize("values", ["classes", "instances"])
@pytest.mark.parametrize("name", ["set.json", "new.json"])
def test_a_save_writes_the_edits_of_every_mask(
    qtbot: QtBot, widget: ReviewWidget, path: Path, values: str, name: str
) -> None:
    masks = _open(widget, path, values)
    for mask in masks:
        _erase(mask)
    _save(qtbot, widget, masks[0], path.with_name(name))
    assert _areas(path.with_name(name)) == {1: 40, 2: 40}
    widget.viewer.layers.remove(masks[1])
    masks[0].undo()
    _save(qtbot, widget, masks[0], path.with_name(name))
    assert _areas(path.with_name(name)) == {1: None, 2: 40}, "saved edits of a removed mask stay"


def test_a_duplicate_of_a_mask_does_not_replace_the_mask_that_is_saved(
    qtbot: QtBot, widget: ReviewWidget, path: Path
) -> None:
    masks = _open(widget, path)
    data, attributes, kind = masks[0].as_layer_data_tuple()
    copy = widget.viewer.add_layer(type(masks[0]).create(data.copy(), attributes, kind))
    _erase(copy)
    _save(qtbot, widget, masks[0], path)
    assert _areas(path) == {1: None, 2: None}
    _save(qtbot, widget, copy, path)
    assert _areas(path) == {1: 40, 2: None}


def test_selected_masks_are_saved_from_the_menu(widget: ReviewWidget, path: Path) -> None:
    masks = _open(widget, path)
    for mask in masks:
        _erase(mask)
    layers = widget.viewer.layers
    layers.selection = set(masks)
    assert layers.save(str(path), selected=True, plugin=PLUGIN) == [str(path)]
    assert _areas(path) == {1: 40, 2: 40}
    masks[0].undo()
    assert layers.save(str(path), plugin=PLUGIN) == [str(path)], "with their images"
    assert _areas(path) == {1: None, 2: 40}


def test_masks_of_different_files_are_refused_together(widget: ReviewWidget, path: Path) -> None:
    (mask, _) = _open(widget, path)
    other = widget.viewer.add_labels(np.zeros((4, 5), np.uint8), name="other")
    widget.viewer.layers.selection = {mask, other}
    out = path.with_name("out.json")
    with pytest.raises(DataError, match=r"out\.json was .* since other is not of the COCO file"):
        widget.viewer.layers.save(str(out), selected=True, plugin=PLUGIN)
    assert not out.exists()


@pytest.mark.parametrize(
    ("button", "kept"), [("mine", {1: 40, 2: 40}), ("theirs", {1: 7, 2: 40}), ("cancel", None)]
)
def test_the_user_chooses_what_both_changed(
    qtbot: QtBot, widget: ReviewWidget, path: Path, button: str, kept: Any
) -> None:
    masks = _open(widget, path)
    for mask in masks:
        _erase(mask)
    _change(path, area=7)
    text = path.read_text()
    widget.mask_combo.setLayer(masks[1])
    widget.save_coco(path)
    dialog = _dialog(qtbot, widget)
    assert "annotation 1 of 1.png: changed here, changed there" in dialog.informativeText()
    assert path.read_text() == text
    if kept is None:
        qtbot.mouseClick(dialog.cancel, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: widget.saver.dialog is None)
        assert path.read_text() == text
        return
    with qtbot.waitSignal(widget.written):
        qtbot.mouseClick(getattr(dialog, button), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not widget.desk.busy)
    assert _areas(path) == kept
    _save(qtbot, widget, masks[1], path)
    assert _areas(path) == kept, "not asked again"


def test_a_conflict_can_go_into_another_file(
    qtbot: QtBot, widget: ReviewWidget, path: Path
) -> None:
    masks = _open(widget, path)
    _erase(masks[0])
    _change(path, area=7)
    text = path.read_text()
    widget.mask_combo.setLayer(masks[0])
    widget.save_coco(path)
    with qtbot.waitSignal(widget.written) as written:
        qtbot.mouseClick(_dialog(qtbot, widget).other_name, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not widget.desk.busy)
    assert written.args == [path.with_name("set-2.json")]
    assert _areas(path.with_name("set-2.json"))[1] == 40
    assert path.read_text() == text


@pytest.mark.parametrize("button", ["mine", "other_name", "cancel"])
def test_a_mask_file_is_not_replaced_after_a_change(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path, button: str
) -> None:
    labels = np.zeros((20, 30), np.uint8)
    mask = widget.viewer.add_labels(labels, name="mask")
    widget.mask_combo.setLayer(mask)
    path, other = tmp_path / "mask.tif", tmp_path / "mask-2.tif"
    with qtbot.waitSignal(widget.written):
        widget.save_tiff(path)
    qtbot.waitUntil(lambda: not widget.desk.busy)
    tifffile.imwrite(path, np.full((20, 30), 9, np.uint8))
    mask.data_setitem((np.array([3]), np.array([3])), 1)
    widget.save_tiff(path)
    dialog = _dialog(qtbot, widget)
    qtbot.mouseClick(getattr(dialog, button), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: widget.saver.dialog is None and not widget.desk.busy)
    assert tifffile.imread(path)[3, 3] == (1 if button == "mine" else 9)
    assert other.exists() is (button == "other_name")
    if button == "mine":
        assert tifffile.imread(tmp_path / "mask.bak.tif").min() == 9, "the replaced file is kept"


def test_a_mask_that_napari_read_is_not_replaced_after_a_change(
    widget: ReviewWidget, tmp_path: Path, npe2pm: Any
) -> None:
    path = tmp_path / "mask.tif"
    tifffile.imwrite(path, np.full((20, 30), 1, np.uint8))
    with npe2pm.tmp_plugin(package="napari"):
        (mask,) = widget.viewer.open(path, layer_type="labels", plugin="napari")
    tifffile.imwrite(path, np.full((20, 30), 9, np.uint8))
    _when_asked(lambda dialog: dialog.cancel.click())
    with pytest.raises(ChangedError, match=r"mask\.tif was not written"):
        mask.save(str(path), plugin=PLUGIN)
    assert tifffile.imread(path).min() == 9


def test_the_menu_asks_too(widget: ReviewWidget, path: Path) -> None:
    (mask, _) = _open(widget, path)
    _erase(mask)
    _change(path, area=7)

    _when_asked(lambda dialog: dialog.cancel.click())
    with pytest.raises(ChangedError, match="choose which version to keep"):
        mask.save(str(path), plugin=PLUGIN)
    _when_asked(lambda dialog: dialog.theirs.click())
    assert mask.save(str(path), plugin=PLUGIN) == [str(path)]
    assert _areas(path) == {1: 7, 2: None}


def test_a_session_on_a_coco_mask_keeps_what_others_change_while_it_is_closed(
    qtbot: QtBot, widget: ReviewWidget, path: Path, tmp_path: Path
) -> None:
    (mask, _) = _open(widget, path)
    widget.mask_combo.setLayer(mask)
    widget.image_combo.setLayer(widget.viewer.layers[0])
    start_session(qtbot, widget, tmp_path / "session")
    _erase(mask)
    with qtbot.waitSignal(widget.written):
        widget.save_coco(path)
    qtbot.waitUntil(lambda: not widget.desk.busy)
    widget.desk.close()
    document = json.loads(path.read_text())
    new = {"id": 9, "image_id": 1, "category_id": 4, "segmentation": [[20, 20, 23, 20, 23, 23]]}
    document["annotations"].append(new)
    path.write_text(json.dumps(document))
    widget.viewer.layers.clear()
    with qtbot.waitSignal(widget.desk.session_changed):
        widget.desk.open(tmp_path / "session")
    qtbot.waitUntil(lambda: not widget.desk.busy)
    current = widget.desk.current
    assert current is not None
    current.mask.data_setitem((np.array([0]), np.array([5]), np.array([2])), 0)
    with qtbot.waitSignal(widget.written):
        widget.save_coco(path)
    qtbot.waitUntil(lambda: not widget.desk.busy)
    assert _areas(path) == {1: 39, 2: None, 9: None}
    assert json.loads(path.read_text())["annotations"][2] == new


def _when_asked(answer: Callable[[ChangedDialog], None]) -> None:
    """Answer the question that blocks the next save."""

    def find() -> None:
        (dialog,) = (w for w in QApplication.topLevelWidgets() if isinstance(w, ChangedDialog))
        answer(dialog)

    QTimer.singleShot(0, find)


def _dialog(qtbot: QtBot, widget: ReviewWidget) -> ChangedDialog:
    qtbot.waitUntil(lambda: widget.saver.dialog is not None)
    assert widget.saver.dialog is not None
    return widget.saver.dialog


def test_categories_that_were_added_removed_or_moved_are_written_back(
    qtbot: QtBot, widget: ReviewWidget, path: Path
) -> None:
    document = json.loads(path.read_text())
    document["categories"].append({"id": 9, "name": "cyst", "own": 1})
    square = [[20, 20, 24, 20, 24, 24, 20, 24]]
    document["annotations"].append(
        {"id": 3, "image_id": 1, "category_id": 9, "segmentation": square, "own": [1]}
    )
    path.write_text(json.dumps(document))
    mask, other = _open(widget, path)
    legend = widget.tools.categories
    widget.mask_combo.setLayer(mask)
    legend.add_button.click()
    legend.new_label.name.setText("vessel")
    legend.new_label.button.click()
    mask.data_setitem((np.array([0, 0]), np.array([0, 0]), np.array([0, 1])), 3)
    legend.tree.move_wanted.emit(3, -2)
    legend.remove(1, 3)
    assert [c.name for c in categories_of(mask)] == ["cyst", "vessel"]
    _save(qtbot, widget, mask, path)
    after = json.loads(path.read_text())
    assert [(c["id"], c["name"]) for c in after["categories"]] == [
        (4, "lesion"), (9, "cyst"), (10, "vessel"),
    ]  # fmt: skip
    # What nobody has touched is as it was, also lesions of the other image.
    assert after["annotations"][:2] == document["annotations"][1:]
    assert [(a["category_id"], a["area"]) for a in after["annotations"][2:]] == [(10, 2), (10, 60)]
    assert categories_of(other)[0].name == "lesion"
    _save(qtbot, widget, mask, path)
    assert json.loads(path.read_text()) == after
