from __future__ import annotations

import csv
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import scene
from qtpy.QtCore import QRect
from qtpy.QtWidgets import QLabel
from scene import SHAPE, add_mask
from sessions import start_session

from napari_unet_seg._napari.compare.comparison import BOTH, A, B, outlines
from napari_unet_seg._napari.compare.table import CompareTable
from napari_unet_seg._napari.files.save_dialog import SaveDialog
from napari_unet_seg._napari.review.widget import ReviewWidget
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg.config import IGNORE_INDEX

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot
    from qtpy.QtGui import QColor

PLACE = {**scene.PLACE, "scale": (4, 0.5, 0.5)}


@pytest.fixture
def widget(dock: Callable[[type], Any]) -> ReviewWidget:
    """Two masks of a scan, the second moved by half the width of the first; Compare on top."""
    widget: ReviewWidget = dock(ReviewWidget)
    viewer = widget.viewer
    viewer.add_image(np.random.default_rng(0).integers(1, 200, SHAPE, np.uint8), **PLACE)
    for name, left in (("first", 10), ("second", 15)):
        labels = np.zeros(SHAPE, np.uint8)
        labels[1:3, 10:20, left : left + 10] = 1
        add_mask(viewer, labels, name, **PLACE)
    viewer.dims.set_point(0, 14.0)
    widget.tabs.setCurrentWidget(widget.compare)
    return widget


def start(qtbot: QtBot, widget: ReviewWidget, folder: Path) -> Any:
    widget.mask_combo.setLayer(widget.viewer.layers["second"])
    start_session(qtbot, widget, folder)
    return widget.viewer.layers["second"]


def until_shows(qtbot: QtBot, widget: ReviewWidget, row: list[str]) -> None:
    qtbot.waitUntil(lambda: row in widget.compare.table.texts())


def until_idle(qtbot: QtBot, widget: ReviewWidget) -> None:
    qtbot.waitUntil(lambda: not jobs.active_jobs())


def heads(widget: ReviewWidget) -> list[str]:
    table = widget.compare.table
    return [table.horizontalHeaderItem(i).text() for i in range(table.columnCount())]


def test_two_masks_are_chosen_and_the_slice_is_measured(qtbot: QtBot, widget: ReviewWidget) -> None:
    compare = widget.compare
    assert {compare.a.currentText(), compare.b.currentText()} == {"first", "second"}
    until_shows(qtbot, widget, ["tumour", "0.500", "0.333", "2.5", "25", "25"])
    assert heads(widget) == ["Category", "Dice", "IoU", "HD95\nmm", "A\nmm²", "B\nmm²"]
    assert compare.table.texts()[1:] == [
        ["oedema", "–", "–", "–", "0", "0"],
        ["all", "0.500", "0.333", "2.5", "25", "25"],
    ]
    assert not compare.table.item(0, 0).icon().isNull()
    until_idle(qtbot, widget)


def test_a_mask_of_other_values_is_compared_as_its_file_is(
    qtbot: QtBot, widget: ReviewWidget
) -> None:
    compare, viewer = widget.compare, widget.viewer
    first = viewer.layers["first"]
    viewer.add_labels(first.data * 255, name="two levels", **PLACE)
    compare.a.setLayer(viewer.layers["two levels"])
    compare.b.setLayer(first)
    until_shows(qtbot, widget, ["all", "1.000", "1.000", "0", "25", "25"])
    assert "left out" not in compare.status.text()
    first.data_setitem((np.full(4, 1), np.full(4, 3), np.arange(4)), IGNORE_INDEX)
    qtbot.waitUntil(lambda: "left out" in compare.status.text())
    assert "4 pixels left out as not reviewed" in compare.status.text()
    until_idle(qtbot, widget)


def test_the_slice_is_followed_when_it_changes_and_when_it_is_painted(
    qtbot: QtBot, widget: ReviewWidget
) -> None:
    until_shows(qtbot, widget, ["tumour", "0.500", "0.333", "2.5", "25", "25"])
    widget.viewer.dims.set_point(0, 10.0)
    until_shows(qtbot, widget, ["all", "–", "–", "–", "0", "0"])
    mask = widget.compare.b.layer()
    mask.data_setitem((np.zeros(4, int), np.full(4, 3), np.arange(4)), 2)
    until_shows(qtbot, widget, ["oedema", "0.000", "0.000", "–", "0", "1"])
    mask.undo()
    until_shows(qtbot, widget, ["all", "–", "–", "–", "0", "0"])
    until_idle(qtbot, widget)
    assert widget.compare.table.texts()[-1] == ["all", "–", "–", "–", "0", "0"]


def test_another_plane_of_the_volume_is_measured_and_outlined(
    qtbot: QtBot, widget: ReviewWidget
) -> None:
    viewer, compare = widget.viewer, widget.compare
    compare.contours.setChecked(True)
    until_shows(qtbot, widget, ["tumour", "0.500", "0.333", "2.5", "25", "25"])
    viewer.dims.order = (1, 0, 2)
    viewer.dims.set_point(1, -5 + 0.5 * 12)
    until_shows(qtbot, widget, ["tumour", "0.500", "0.333", "2.5", "40", "40"])
    assert compare.status.text().startswith("XZ plane 12, compared at ")
    a, b = (combo.layer().data[:, 12] for combo in (compare.a, compare.b))
    drawn = viewer.layers["contours"].data
    qtbot.waitUntil(lambda: np.array_equal(drawn[:, 12], outlines(a, b)))
    until_idle(qtbot, widget)


@pytest.mark.parametrize(
    ("turn", "said"),
    [
        (lambda dims: setattr(dims, "ndisplay", 3), "No slice is on screen as a plane"),
        (lambda dims: dims.set_point(0, 10 + 4 * 6), "No slice of second is on screen"),
    ],
    ids=["body", "beyond"],
)
def test_what_is_no_slice_is_not_measured(
    qtbot: QtBot, widget: ReviewWidget, turn: Callable[[Any], None], said: str
) -> None:
    dims, compare = widget.viewer.dims, widget.compare
    widget.viewer.add_image(np.ones((9, 40, 50), np.uint8), name="longer", **PLACE)
    compare.a.setLayer(widget.viewer.layers["first"])
    compare.b.setLayer(widget.viewer.layers["second"])
    compare.contours.setChecked(True)
    until_shows(qtbot, widget, ["tumour", "0.500", "0.333", "2.5", "25", "25"])
    until_idle(qtbot, widget)
    compare.a.layer().visible = compare.b.layer().visible = False
    turn(dims)
    qtbot.waitUntil(lambda: compare.status.text().startswith(said))
    assert compare.table.rowCount() == 0
    assert not compare.csv_button.isEnabled()
    compare.button.click()
    assert compare.status.text().startswith(said)
    dims.ndisplay, dims.order = 2, (0, 1, 2)
    dims.set_point(0, 14.0)
    until_shows(qtbot, widget, ["tumour", "0.500", "0.333", "2.5", "25", "25"])
    until_idle(qtbot, widget)


def test_the_whole_scan_in_ml_and_that_it_changed_since(qtbot: QtBot, widget: ReviewWidget) -> None:
    compare = widget.compare
    compare.part.setCurrentIndex(1)
    with qtbot.waitSignal(compare.compared):
        compare.button.click()
    assert heads(widget)[3:] == ["HD95\nmm", "A\nml", "B\nml"]
    assert compare.table.texts()[0] == ["tumour", "0.500", "0.333", "2.5", "0.2", "0.2"]
    assert compare.status.text().startswith("whole scan, compared at ")
    until_idle(qtbot, widget)
    assert compare.button.isEnabled()
    mask = compare.b.layer()
    looks = (
        lambda: widget.viewer.dims.set_point(0, 1),
        lambda: setattr(mask, "contour", 2),
        lambda: setattr(mask, "visible", False),
        lambda: setattr(mask, "visible", True),
    )
    for look in looks:
        look()
        assert compare.status.text().startswith("whole scan, compared at "), "nothing has changed"
    mask.data_setitem((np.array([0]), np.array([3]), np.array([3])), 2)
    assert compare.status.text() == "A mask has changed since; press Compare again."
    with qtbot.waitSignal(compare.compared):
        compare.button.click()
    until_idle(qtbot, widget)
    mask.visible = False
    mask.undo()  # of which napari tells nothing before it is shown
    mask.visible = True
    assert compare.status.text() == "A mask has changed since; press Compare again."


def compare_whole_scans(qtbot: QtBot, widget: ReviewWidget) -> None:
    """Compare the masks first and second, which were put into the viewer anew."""
    layers, compare = widget.viewer.layers, widget.compare
    compare.a.setLayer(layers["first"])
    compare.b.setLayer(layers["second"])
    compare.part.setCurrentIndex(1)
    until_idle(qtbot, widget)
    with qtbot.waitSignal(compare.compared):
        compare.button.click()


def test_sizes_are_those_in_the_world(qtbot: QtBot, widget: ReviewWidget) -> None:
    viewer, compare = widget.viewer, widget.compare
    places: tuple[dict[str, Any], ...] = (
        {"affine": np.diag([4, 0.5, 0.5, 1]), "units": ("mm",) * 3},
        {"scale": (-0.4, 0.05, 0.05), "units": ("cm",) * 3},
        {"scale": (4, -500, 500), "units": ("mm", "um", "um")},
    )
    for place in places:
        for name in ("first", "second"):
            layer = viewer.layers.pop(name)
            viewer.add_labels(layer.data, name=name, metadata=layer.metadata, **place)
        compare_whole_scans(qtbot, widget)
        assert heads(widget)[3:] == ["HD95\nmm", "A\nml", "B\nml"], place
        row = compare.table.texts()[0]
        assert row == ["tumour", "0.500", "0.333", "2.5", "0.2", "0.2"], place
        until_idle(qtbot, widget)


def test_a_series_says_that_figures_are_means(qtbot: QtBot, widget: ReviewWidget) -> None:
    viewer, compare = widget.viewer, widget.compare
    for name in ("first", "second"):
        labels = np.stack([viewer.layers[name].data] * 2)
        place = {"scale": (1, 4, 0.5, 0.5), "units": ("second", "mm", "mm", "mm")}
        viewer.layers.remove(name)
        add_mask(viewer, labels, name, **place)
    compare_whole_scans(qtbot, widget)
    assert heads(widget)[1:] == ["Dice", "IoU", "HD95\nmm mean", "A\nml mean", "B\nml mean"]
    assert compare.table.texts()[0] == ["tumour", "0.500", "0.333", "2.5", "0.2", "0.2"]
    assert "mean of 2 volumes" in compare.table.horizontalHeaderItem(4).toolTip()
    until_idle(qtbot, widget)


def test_the_whole_scan_can_be_left_unmeasured(qtbot: QtBot, widget: ReviewWidget) -> None:
    compare = widget.compare
    compare.part.setCurrentIndex(1)
    until_idle(qtbot, widget)
    compare.button.click()
    assert (compare.button.text(), compare.bar.isHidden()) == ("Stop", False)
    compare.button.click()
    assert not compare.button.isEnabled()
    until_idle(qtbot, widget)
    assert compare.status.text() == "Stopped; the whole scan is not measured."
    assert not compare.csv_button.isEnabled()
    assert (compare.button.text(), compare.button.isEnabled()) == ("Compare", True)
    assert compare.bar.isHidden()


def test_a_session_is_compared_with_its_prediction(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path
) -> None:
    mask = start(qtbot, widget, tmp_path / "s")
    compare = widget.compare
    assert compare.a.currentText() == "prediction of the session"
    assert compare.b.layer() is mask
    until_shows(qtbot, widget, ["tumour", "1.000", "1.000", "0", "25", "25"])
    half = np.zeros(SHAPE, bool)
    half[1, 10:15, 15:25] = True
    mask.data_setitem(np.nonzero(half), 0)
    until_shows(qtbot, widget, ["tumour", "0.667", "0.500", "2.5", "25", "12.5"])
    compare.part.setCurrentIndex(1)
    with qtbot.waitSignal(compare.compared):
        compare.button.click()
    assert compare.table.texts()[0][1] == f"{300 / 350:.3f}"
    until_idle(qtbot, widget)
    widget.bar.close_button.click()
    assert compare.a.currentText() != "prediction of the session"
    assert compare.a.findText("prediction of the session") == -1
    until_idle(qtbot, widget)


def test_a_slice_predicted_later_counts_in_the_whole_scan(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path
) -> None:
    mask = start(qtbot, widget, tmp_path / "s")
    assert widget.session is not None
    widget.session.masks.replace_prediction(0, np.ones(SHAPE[1:], np.uint8))
    compare = widget.compare
    compare.part.setCurrentIndex(1)
    with qtbot.waitSignal(compare.compared) as found:
        compare.button.click()
    counts = found.args[0].rows[0].counts
    assert (counts.tp, counts.fp) == (np.count_nonzero(mask.data), 40 * 50)
    until_idle(qtbot, widget)


def test_contours_follow_and_disturb_nothing(qtbot: QtBot, widget: ReviewWidget) -> None:
    viewer, compare = widget.viewer, widget.compare
    mask = compare.b.layer()
    viewer.layers.selection.active = mask
    mask.data_setitem((np.array([1]), np.array([30]), np.array([30])), 1)
    compare.contours.click()
    layer = viewer.layers["contours"]
    a, b = compare.a.layer().data, mask.data
    qtbot.waitUntil(lambda: np.array_equal(layer.data[1], outlines(a[1], b[1])))
    assert {A, B, BOTH} <= set(np.unique(layer.data[1]))
    np.testing.assert_array_equal(layer.scale, mask.scale)
    np.testing.assert_array_equal(layer.translate, mask.translate)
    assert viewer.layers.selection.active is mask
    assert [combo.count() for combo in (compare.a, compare.b)] == [2, 2]
    mask.undo()
    assert mask.data[1, 30, 30] == 0
    qtbot.waitUntil(lambda: layer.data[1, 30, 30] == 0)
    widget.tabs.setCurrentIndex(0)
    viewer.dims.set_point(0, 18.0)
    qtbot.waitUntil(lambda: np.array_equal(layer.data[2], outlines(a[2], b[2])))
    compare.contours.click()
    assert "contours" not in viewer.layers
    until_idle(qtbot, widget)


def test_outlines_lie_inside_and_skip_what_nobody_reviewed() -> None:
    a, b = np.zeros((7, 7), np.uint8), np.zeros((7, 7), np.uint8)
    a[1:4, 1:4], b[1:4, 1:4], b[5:] = 1, 2, IGNORE_INDEX
    b[1, 1] = 0
    expected = np.zeros((7, 7), np.uint8)
    expected[1:4, 1:4] = BOTH
    expected[1, 1], expected[2, 2] = A, 0
    np.testing.assert_array_equal(outlines(a, b), expected)


def luminance(colour: QColor) -> float:
    """As in the Web Content Accessibility Guidelines."""
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour.getRgbF()]
    return float(np.dot(parts[:3], (0.2126, 0.7152, 0.0722)))


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_legend_stands_out_in_every_theme(
    qtbot: QtBot, widget: ReviewWidget, theme: str
) -> None:
    widget.viewer.theme = theme
    labels = widget.compare.legend.findChildren(QLabel)
    assert [label.text() for label in labels if label.text()] == ["A", "B", "both"]
    for mark, name in pairwise(labels):
        if name.text():
            window = luminance(name.grab().toImage().pixelColor(0, 0))
            assert (window > 0.5) == (theme == "light")
            picture = mark.pixmap().toImage()
            edge = luminance(picture.pixelColor(0, picture.height() // 2))
            low, high = sorted((window, edge))
            assert (high + 0.05) / (low + 0.05) > 3, name.text()
    until_idle(qtbot, widget)


def test_grids_that_differ_are_told_beside_the_masks(
    qtbot: QtBot, widget: ReviewWidget, notifications: list[str]
) -> None:
    widget.viewer.add_labels(np.zeros((3, 40, 50), np.uint8), name="short")
    widget.compare.b.setLayer(widget.viewer.layers["short"])
    qtbot.waitUntil(lambda: "3 × 40 × 50" in widget.compare.status.text())
    assert "4 × 40 × 50 (ZYX, 4 × 0.5 × 0.5 mm)" in widget.compare.status.text()
    assert widget.compare.table.rowCount() == 0
    assert not widget.compare.csv_button.isEnabled()
    assert not [text for text in notifications if "grid" in text]
    until_idle(qtbot, widget)


def test_masks_that_lie_apart_are_told(qtbot: QtBot, widget: ReviewWidget) -> None:
    compare = widget.compare
    crop = np.zeros(SHAPE, np.uint8)
    widget.viewer.add_labels(crop, name="crop", **{**PLACE, "translate": (10, -2, 6)})
    compare.b.setLayer(widget.viewer.layers["crop"])
    assert "lie 5 mm apart" in compare.status.text()
    widget.viewer.layers["crop"].units = ("cm",) * 3
    compare._on_choice()
    assert "mm apart" in compare.status.text()
    metres = {"scale": (0.004, 5e-4, 5e-4), "translate": (0.01, -0.005, 0.002)}
    widget.viewer.add_labels(crop, name="same", units=("m",) * 3, **metres)
    compare.b.setLayer(widget.viewer.layers["same"])
    assert compare.status.text() == ""
    compare.b.setLayer(widget.viewer.layers["crop"])
    widget.viewer.layers["crop"].units = ("mm",) * 3
    compare._on_choice()
    assert not compare.button.isEnabled()
    compare.b.setLayer(widget.viewer.layers["first"])
    compare.a.setLayer(widget.viewer.layers["second"])
    assert compare.status.text() == ""
    until_shows(qtbot, widget, ["tumour", "0.500", "0.333", "2.5", "25", "25"])
    until_idle(qtbot, widget)


def test_the_table_is_saved(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    until_shows(qtbot, widget, ["tumour", "0.500", "0.333", "2.5", "25", "25"])
    path = tmp_path / "table.csv"
    monkeypatch.setattr(SaveDialog, "ask", lambda *_: (str(path), ""))
    widget.compare.csv_button.click()
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["category"], row["dice"], row["part"]) for row in rows] == [
        ("tumour", "0.5", "slice 1"),
        ("oedema", "", "slice 1"),
        ("all", "0.5", "slice 1"),
    ]
    until_idle(qtbot, widget)


def test_the_heads_have_room_for_their_units_from_the_start(qtbot: QtBot) -> None:
    table = CompareTable()
    qtbot.addWidget(table)
    two = table.fontMetrics().boundingRect(QRect(), 0, "HD95\nmm").height()
    assert table.horizontalHeader().sizeHint().height() >= two
