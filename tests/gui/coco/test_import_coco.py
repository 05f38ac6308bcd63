from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import dask.array as da
import numpy as np
import psutil
import pytest
from category_list import click_cell
from PIL import Image as Picture
from qtpy import API

from napari_unet_seg._napari.coco import write_dataset
from napari_unet_seg._napari.coco.widget import ImportCocoWidget
from napari_unet_seg._napari.files.coco.layers import coco_stacks
from napari_unet_seg._napari.files.writer import write_coco
from napari_unet_seg._napari.layers.conversion import categories_of, scan_from_layer
from napari_unet_seg._napari.layers.layer_record import LayerRecord, record_of
from napari_unet_seg._napari.train.source import SourceBox
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg.io.coco.raster import rasterise
from napari_unet_seg.io.coco.read import read_coco

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

pytestmark = pytest.mark.usefixtures("dask_without_threads")

SQUARE = [[2, 3, 12, 3, 12, 9, 2, 9]]


@pytest.fixture
def widget(dock: Callable[..., Any]) -> ImportCocoWidget:
    return dock(ImportCocoWidget)


def _annotation(number: int, image: int, category: int, polygons: Any) -> dict[str, Any]:
    return {"id": number, "image_id": image, "category_id": category, "segmentation": polygons}


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    """Two sizes, one missing image, one polygon of two points, and an unused parent category."""
    folder = tmp_path / "train"
    folder.mkdir()
    sizes = {1: (40, 30), 2: (40, 30), 3: (20, 50), 4: (40, 30)}
    for number, size in sizes.items():
        if number != 4:
            pixels = np.full(size[::-1], 40 * number, np.uint8)
            Picture.fromarray(pixels).save(folder / f"{number}.png")
    document = {
        "images": [
            {"id": n, "file_name": f"{n}.png", "width": w, "height": h}
            for n, (w, h) in sizes.items()
        ],
        "categories": [
            {"id": 0, "name": "Tumor", "supercategory": "none"},
            {"id": 1, "name": "glioma", "supercategory": "Tumor"},
            {"id": 5, "name": "meningioma", "supercategory": "Tumor"},
        ],
        "annotations": [
            _annotation(1, 1, 1, SQUARE),
            _annotation(2, 2, 5, SQUARE),
            _annotation(3, 3, 1, SQUARE),
            _annotation(4, 3, 1, [[1, 1, 2, 2]]),
        ],
    }
    path = folder / "_annotations.coco.json"
    path.write_text(json.dumps(document))
    return path


def test_a_data_set_takes_the_place_of_the_sample(
    qtbot: QtBot, widget: ImportCocoWidget, coco: Path, caplog: pytest.LogCaptureFixture
) -> None:
    viewer = widget.viewer
    viewer.open_sample("napari-unet-seg", "scan")
    viewer.dims.set_point(0, 60)
    with qtbot.waitSignal(widget.inspected):
        widget.setPath(coco)
    caplog.clear()
    with qtbot.waitSignal(widget.opened) as opened:
        widget.open()
    assert list(viewer.layers) == opened.args[0]
    assert viewer.dims.current_step[0] == 0
    assert "units" not in caplog.text


def test_what_was_inspected_can_be_opened(
    qtbot: QtBot, widget: ImportCocoWidget, coco: Path
) -> None:
    ready: list[bool] = []
    widget.inspected.connect(lambda _: ready.append(widget.open_button.isEnabled()))
    with qtbot.waitSignal(widget.inspected):
        widget.setPath(coco)
    assert ready == [True]


def test_a_scan_that_is_corrected_is_hidden_not_removed(
    qtbot: QtBot, widget: ImportCocoWidget, coco: Path
) -> None:
    viewer = widget.viewer
    (scan,) = viewer.open_sample("napari-unet-seg", "scan")
    record = LayerRecord(image=scan.unique_id)
    mask = viewer.add_labels(np.zeros(scan.data.shape, np.uint8), metadata=record.as_metadata())
    with qtbot.waitSignal(widget.inspected):
        widget.setPath(coco)
    with qtbot.waitSignal(widget.opened):
        widget.open()
    assert {scan, mask} <= set(viewer.layers)
    assert not scan.visible
    assert not mask.visible


def _wait(qtbot: QtBot, widget: ImportCocoWidget, path: Path) -> None:
    with qtbot.waitSignal(widget.inspected):
        widget.setPath(path)
    qtbot.waitUntil(lambda: widget.open_button.isEnabled())


def _open(qtbot: QtBot, widget: ImportCocoWidget) -> list[Any]:
    with qtbot.waitSignal(widget.opened) as waiter:
        widget.open_button.click()
    return waiter.args[0]


def test_the_table_tells_before_anything_is_loaded(
    widget: ImportCocoWidget, coco: Path, qtbot: QtBot
) -> None:
    assert not widget.open_button.isEnabled()
    _wait(qtbot, widget, coco)
    rows = widget.table.texts()

    for row in (
        ("Images", "4"),
        ("found", "3"),
        ("missing", "1"),
        ("glioma", "2"),
        ("meningioma", "1"),
        ("40 × 30 pixels", "2"),
        ("20 × 50 pixels", "1"),
        ("Will be skipped", "2"),
        ("its file is missing", "1"),
        ("4.png", ""),
        ("its polygon has fewer than three points", "1"),
        ("annotation 4 of 3.png", ""),
    ):
        assert row in rows
    assert widget.images_edit.line.placeholderText() == str(coco.parent)
    assert len(widget.viewer.layers) == 0


def test_one_stack_per_size_with_its_mask(
    widget: ImportCocoWidget, coco: Path, qtbot: QtBot
) -> None:
    _wait(qtbot, widget, coco)
    wide, wide_mask, high, high_mask = _open(qtbot, widget)
    dataset = read_coco(coco)

    assert [layer.name for layer in widget.viewer.layers] == [
        "train 40×30",
        "train 40×30 mask",
        "train 20×50",
        "train 20×50 mask",
    ]
    assert wide.data.shape == (2, 30, 40)
    assert isinstance(wide.data, da.Array)
    assert [int(plane.max()) for plane in np.asarray(wide.data)] == [40, 80]
    assert high.data.shape == (1, 50, 20)
    np.testing.assert_array_equal(wide_mask.data[0], rasterise(dataset, 1))
    np.testing.assert_array_equal(wide_mask.data[1], rasterise(dataset, 2))
    np.testing.assert_array_equal(high_mask.data[0], rasterise(dataset, 3))
    assert [c.name for c in categories_of(wide_mask)] == ["glioma", "meningioma"]
    assert record_of(wide_mask).coco.ids == (1, 2)
    assert record_of(wide_mask).coco.source.path == coco
    assert scan_from_layer(wide).axes == "NYX"
    assert scan_from_layer(wide).names == ("1.png", "2.png")
    assert widget.legend.tree.names() == ["glioma", "meningioma"]
    assert widget.legend.tree.labels() == [1, 2]


def test_masks_of_an_import_can_be_painted(
    widget: ImportCocoWidget, coco: Path, qtbot: QtBot
) -> None:
    _wait(qtbot, widget, coco)
    _, mask, *_ = _open(qtbot, widget)
    before = mask.data.copy()
    mask.paint((1, 20, 30), 2)
    assert mask.data[1, 20, 30] == 2
    mask.undo()
    np.testing.assert_array_equal(mask.data, before)


def test_legend_chooses_the_brushs_label(
    widget: ImportCocoWidget, coco: Path, qtbot: QtBot
) -> None:
    _wait(qtbot, widget, coco)
    *_, mask = _open(qtbot, widget)
    click_cell(widget.legend, "meningioma")
    assert mask.selected_label == 2
    mask.selected_label = 1
    assert widget.legend.value() == 1
    widget.viewer.layers.clear()
    assert widget.legend.isHidden()


def test_the_unused_parent_can_be_shown(widget: ImportCocoWidget, coco: Path, qtbot: QtBot) -> None:
    _wait(qtbot, widget, coco)
    assert not widget.hide_parent.isHidden()
    assert ("Tumor (unused parent, hidden)", "0") in widget.table.texts()
    widget.hide_parent.setChecked(False)
    assert ("Tumor", "0") in widget.table.texts()
    _, mask, *_ = _open(qtbot, widget)

    assert [c.name for c in categories_of(mask)] == ["Tumor", "glioma", "meningioma"]
    assert set(np.unique(mask.data)) == {0, 2, 3}
    write_coco(str(coco.with_name("out.json")), [mask.as_layer_data_tuple()])
    written = json.loads(coco.with_name("out.json").read_text())
    assert written["annotations"] == json.loads(coco.read_text())["annotations"]


def test_boxes_without_an_outline_are_drawn_on_request(
    widget: ImportCocoWidget, coco: Path, qtbot: QtBot
) -> None:
    document = json.loads(coco.read_text())
    first = document["annotations"][0]
    del first["segmentation"]
    first["bbox"] = [2, 3, 10, 6]
    coco.write_text(json.dumps(document))
    _wait(qtbot, widget, coco)
    assert ("it has only a box", "1") in widget.table.texts()
    assert not widget.boxes.isHidden()
    with qtbot.waitSignal(widget.inspected):
        widget.boxes.setChecked(True)
    qtbot.waitUntil(lambda: widget.open_button.isEnabled())
    assert ("glioma", "2") in widget.table.texts()
    _, mask, *_ = _open(qtbot, widget)

    assert (mask.data[0] == 1).sum() == 60
    write_coco(str(coco.with_name("out.json")), [mask.as_layer_data_tuple()])
    written = json.loads(coco.with_name("out.json").read_text())
    assert written["annotations"] == document["annotations"]


def test_images_elsewhere_can_be_set(
    widget: ImportCocoWidget, coco: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    far = tmp_path / "far" / "away"
    far.mkdir(parents=True)
    for picture in coco.parent.glob("*.png"):
        picture.rename(far / picture.name)
    with qtbot.waitSignal(widget.inspected) as waiter:
        widget.setPath(coco)
    assert waiter.args[0].found == 0
    assert not widget.open_button.isEnabled()
    with qtbot.waitSignal(widget.inspected) as waiter:
        widget.images_edit.setValue(far)
    assert waiter.args[0].found == 3


def test_a_file_that_is_not_coco_is_told(
    widget: ImportCocoWidget,
    coco: Path,
    tmp_path: Path,
    qtbot: QtBot,
    notifications: list[str],
) -> None:
    for number, content in enumerate(("{}", "[1, 2", '{"images": [], "annotations": []}')):
        bad = tmp_path / f"bad-{number}.json"
        bad.write_text(content)
        widget.setPath(bad)
        qtbot.waitUntil(lambda: len(notifications) == 1)
        assert str(bad) in notifications[0]
        assert widget.status.text() == notifications[0]
        assert not widget.open_button.isEnabled()
        notifications.clear()
    _wait(qtbot, widget, coco)
    assert len(_open(qtbot, widget)) == 4


def test_a_later_file_takes_the_place_of_an_earlier_one(
    widget: ImportCocoWidget, coco: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    document = json.loads(coco.read_text())
    document["images"] = document["images"][:1]
    other = coco.with_name("other.json")
    other.write_text(json.dumps(document))
    widget.setPath(coco)
    with qtbot.waitSignal(widget.inspected):
        widget.setPath(other)
    qtbot.waitUntil(lambda: widget.open_button.isEnabled())

    assert ("Images", "1") in widget.table.texts()
    qtbot.waitUntil(lambda: not jobs.active_jobs())


def test_write_data_set(widget: ImportCocoWidget, coco: Path, tmp_path: Path, qtbot: QtBot) -> None:
    import tifffile

    _wait(qtbot, widget, coco)
    box = widget.write_box
    box.folder_edit.setValue(tmp_path / "set")
    box.valid.setValue(34)
    with qtbot.waitSignal(box.written) as waiter:
        box.write_button.click()
    qtbot.waitUntil(lambda: box.write_button.isEnabled())
    masks = sorted((tmp_path / "set").glob("*/masks/*.tif"))

    assert waiter.args == [tmp_path / "set"]
    assert (tmp_path / "set" / "dataset.json").is_file()
    assert len(masks) == 3
    assert {mask.parent.parent.name for mask in masks} == {"train", "valid"}
    assert {int(tifffile.imread(mask).max()) for mask in masks} == {1, 2}
    assert "1 image was skipped" in box.message.text()
    source = SourceBox(widget.viewer)
    qtbot.addWidget(source)
    assert source.folder.value() == tmp_path / "set"


def test_a_folder_that_is_taken_is_told_and_the_form_stays_usable(
    widget: ImportCocoWidget, coco: Path, tmp_path: Path, qtbot: QtBot, notifications: list[str]
) -> None:
    _wait(qtbot, widget, coco)
    box = widget.write_box
    box.folder_edit.setValue(coco.parent)
    box.write_button.click()
    qtbot.waitUntil(lambda: len(notifications) == 1)
    qtbot.waitUntil(lambda: box.write_button.isEnabled())

    assert str(coco.parent) in notifications[0]
    assert box.message.text() == notifications[0]


def test_sister_files_are_written_together(
    widget: ImportCocoWidget, coco: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    valid = tmp_path / "valid"
    coco.parent.rename(tmp_path / "copy")
    (tmp_path / "copy").rename(valid)
    _wait(qtbot, widget, valid / coco.name)
    assert widget.write_box.with_others.isHidden()

    train = tmp_path / "train"
    train.mkdir()
    for file in valid.iterdir():
        (train / file.name).write_bytes(file.read_bytes())
    _wait(qtbot, widget, coco)
    box = widget.write_box
    assert not box.with_others.isHidden()
    assert not box.valid.isEnabled()
    assert [part.split for part in box.parts()] == ["train", "valid"]
    box.with_others.setChecked(False)
    assert box.valid.isEnabled()
    assert [part.split for part in box.parts()] == ["train"]


def test_stop_leaves_nothing_behind(
    widget: ImportCocoWidget,
    coco: Path,
    tmp_path: Path,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    is_stopped, write = threading.Event(), write_dataset.write_dataset

    def held(*args: Any, **options: Any) -> Any:
        """Write as ever, but not before the click on Stop."""
        is_stopped.wait(60)
        return (yield from write(*args, **options))

    monkeypatch.setattr(write_dataset, "write_dataset", held)
    _wait(qtbot, widget, coco)
    box = widget.write_box
    box.folder_edit.setValue(tmp_path / "set")
    box.write_button.click()
    assert box.stop_button.isEnabled()
    box.stop_button.click()
    is_stopped.set()
    qtbot.waitUntil(lambda: box.write_button.isEnabled())

    assert box.message.text() == "Stopped; nothing was written."
    assert {path.name for path in tmp_path.iterdir()} <= {"train", "settings"}


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("_annotations.coco.json", "train"),
        ("annotations.json", "train"),
        ("instances_val.json", "instances_val"),
    ],
)
def test_stacks_are_named_by_what_tells_them_apart(coco: Path, name: str, title: str) -> None:
    document = json.loads(coco.read_text())
    document["images"] = document["images"][:1]
    coco.with_name(name).write_text(json.dumps(document))

    assert [stack.name for stack in coco_stacks(read_coco(coco.with_name(name)))] == [title]


def test_colour_and_grey_of_one_size_share_a_stack(coco: Path) -> None:
    Picture.new("RGB", (40, 30), (200, 10, 10)).save(coco.parent / "2.png")
    first, *_ = coco_stacks(read_coco(coco))

    assert first.scan.axes == "NYXC"
    assert np.asarray(first.scan.data[0]).shape == (30, 40, 3)


def test_masks_take_no_memory_where_they_are_empty(coco: Path) -> None:
    document = json.loads(coco.read_text())
    side, count = 4096, 40
    Picture.new("L", (side, side)).save(coco.parent / "big.png")
    document["images"] = [
        {"id": n, "file_name": "big.png", "width": side, "height": side} for n in range(count)
    ]
    document["annotations"] = [_annotation(n, n, 1, SQUARE) for n in range(count)]
    coco.write_text(json.dumps(document))
    dataset = read_coco(coco)
    before = psutil.Process().memory_info().rss
    (stack,) = coco_stacks(dataset)
    grown = psutil.Process().memory_info().rss - before

    assert stack.labels.nbytes > 600e6
    assert grown < 50e6
    assert all(stack.labels[n].any() for n in range(count))


MEASURE = """
import json, sys, napari, psutil
from qtpy.QtCore import QEventLoop
from qtpy.QtWidgets import QApplication
from napari_unet_seg._napari.files.writer import write_coco
from napari_unet_seg._napari.coco.widget import ImportCocoWidget

viewer = napari.Viewer()
widget = ImportCocoWidget(viewer)
viewer.window.add_dock_widget(widget)
QApplication.processEvents()
wait = QEventLoop.ProcessEventsFlag.WaitForMoreEvents
widget.setPath(sys.argv[1])
while not widget.open_button.isEnabled():
    QApplication.processEvents(wait)
widget.open_button.click()
while not (viewer.layers and widget.open_button.isEnabled()):
    QApplication.processEvents(wait)
canvas = viewer.screenshot(flash=False)
result = {
    "bytes": psutil.Process().memory_info().rss,
    "shapes": [layer.data.shape for layer in viewer.layers],
    "lit": int((canvas[..., :3].max(axis=-1) > 50).sum()),
}
viewer.close()
print(json.dumps(result))
"""


@pytest.mark.slow
def test_real_data_are_on_screen_in_600_megabytes(real_data: Path, tmp_path: Path) -> None:
    (path,) = (real_data / "tumorseg" / "train").glob("*.json")
    # A process of its own, since in this one the memory of other tests would count.
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", MEASURE, str(path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path)},  # nothing is remembered there
    )
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout.splitlines()[-1])

    assert found["shapes"] == [[1502, 640, 640, 3], [1502, 640, 640]]
    assert found["lit"] > 1000, "the canvas stayed dark"
    # The libraries of PySide6 alone take 60 MB more than those of PyQt.
    assert found["bytes"] < (700e6 if API == "pyside6" else 600e6)
