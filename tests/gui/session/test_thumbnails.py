from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from mouse import canvas_of
from napari._qt.utils import QImg2array
from pages import add_page
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtTest import QTest
from scene import CATEGORIES
from sessions import start_session

from napari_unet_seg._napari.layers.colours import category_colour
from napari_unet_seg._napari.layers.conversion import add_labels, scan_options
from napari_unet_seg._napari.layers.thumbnail import draw_thumbnail
from napari_unet_seg._napari.review.widget import ReviewWidget
from napari_unet_seg._napari.widgets.queue import lazy_icons
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.images import photographs as image_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

RED, BLUE = (255, 0, 0), (0, 0, 255)


@pytest.mark.parametrize(
    ("shape", "spacing", "expected"),
    [
        ((400, 400), (1, 1), (40, 40)),
        ((400, 200), (1, 1), (40, 20)),
        ((100, 400), (4, 1), (40, 40)),
        ((10, 20), (1, 1), (20, 40)),
        ((1, 500), (1, 1), (1, 40)),
    ],
)
def test_proportions(
    shape: tuple[int, int], spacing: tuple[float, float], expected: tuple[int, int]
) -> None:
    labels = np.zeros(shape, np.uint8)
    picture = draw_thumbnail(np.ones(shape), labels, {}, (0, 2), 40, spacing)
    assert picture.shape == (*expected, 3)
    assert set(np.unique(picture)) == {127}


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32])
def test_the_window_decides_what_is_white(dtype: Any) -> None:
    plane = np.repeat([[0, 50, 100, 120]], 4, axis=0).astype(dtype)
    picture = draw_thumbnail(plane, np.zeros((4, 4), np.uint8), {}, (50, 100), 4)
    np.testing.assert_array_equal(picture[0, :, 0], [0, 0, 255, 255])


def test_colours_are_kept_and_other_channels_averaged() -> None:
    labels = np.zeros((4, 4), np.uint8)
    coloured = np.broadcast_to(np.array([10, 20, 30, 255], np.uint8), (4, 4, 4))
    assert draw_thumbnail(coloured, labels, {}, (0, 1), 4)[1, 1].tolist() == [10, 20, 30]
    channels = np.broadcast_to(np.array([0.0, 1.0]), (4, 4, 2))
    assert draw_thumbnail(channels, labels, {}, (0, 1), 4)[1, 1].tolist() == [127] * 3


def test_only_edges_are_drawn_and_single_pixels_are_seen() -> None:
    labels = np.zeros((800, 800), np.uint16)
    labels[200:600, 200:600] = 1
    labels[3, 790] = 2
    picture = draw_thumbnail(np.zeros((800, 800)), labels, {1: RED, 2: BLUE}, (0, 1), 40)
    red, blue = ((picture == colour).all(axis=-1) for colour in (RED, BLUE))
    square = np.zeros((40, 40), bool)
    square[10:30, 10:30] = True
    square[11:29, 11:29] = False
    np.testing.assert_array_equal(red, square)
    assert np.argwhere(blue).tolist() == [[0, 39]]


@pytest.fixture
def widget(
    qtbot: QtBot,
    make_napari_viewer: Callable[..., Any],
    tmp_path: Path,
    dask_without_threads: None,
) -> ReviewWidget:
    """A session on sixty images that are read when they are looked at."""
    paths = [tmp_path / "images" / f"{i:02d}.png" for i in range(60)]
    paths[0].parent.mkdir()
    for value, path in enumerate(paths):
        Image.fromarray(np.full((40, 40), 4 * value, np.uint8)).save(path)
    data = image_files.lazy_stack(paths, (40, 40), np.uint8)
    scan = Scan(data, "NYX", names=tuple(p.name for p in paths), meta={"paths": tuple(paths)})
    viewer = make_napari_viewer(show=True)  # rows are drawn as they are painted
    widget: ReviewWidget = add_page(viewer, ReviewWidget)
    widget.window().resize(1366, 768)
    image = viewer.add_image(scan.data, **scan_options(scan, "stack"))
    labels = np.zeros((60, 40, 40), np.uint8)
    labels[:, 10:20, 10:20] = 1
    mask = add_labels(viewer, labels, image, CATEGORIES, "mask")
    viewer.dims.set_point(0, 0)
    widget.mask_combo.setLayer(mask)
    start_session(qtbot, widget, tmp_path / "s")
    return widget


def thumbnail(widget: ReviewWidget, row: int) -> Any:
    """The picture in a row of the list, RGB as it is on screen."""
    table = widget.review.table
    rect = table.visualRect(table.slices.index(row, 0))
    return QImg2array(table.viewport().grab(rect).toImage())[..., :3]


def has_colour(widget: ReviewWidget, row: int, colour: str, pixels: int = 1) -> bool:
    wanted = QColor(colour).getRgb()[:3]
    return int((thumbnail(widget, row) == wanted).all(axis=-1).sum()) >= pixels


def grey(value: int) -> str:
    return QColor(value, value, value).name()


def test_rows_show_their_slice_with_the_outline_of_its_mask(
    qtbot: QtBot, widget: ReviewWidget
) -> None:
    tumour, oedema = map(category_colour, ("tumour", "oedema"))
    for row in (0, 1, 2):
        qtbot.waitUntil(lambda r=row: has_colour(widget, r, grey(4 * r), 1_000))
        assert has_colour(widget, row, tumour, 36)
        assert not has_colour(widget, row, oedema)


def test_edits_are_drawn_on_whatever_slice_they_are(qtbot: QtBot, widget: ReviewWidget) -> None:
    oedema = category_colour("oedema")
    qtbot.waitUntil(lambda: has_colour(widget, 1, grey(4), 1_000))
    assert widget.desk.current is not None
    mask = widget.desk.current.mask
    mask.data_setitem((np.arange(3), np.full(3, 30), np.full(3, 30)), 2)
    for row in (0, 1, 2):
        qtbot.waitUntil(lambda r=row: has_colour(widget, r, oedema))
    mask.undo()
    for row in (0, 1, 2):
        qtbot.waitUntil(lambda r=row: not has_colour(widget, r, oedema))


def test_only_rows_on_screen_are_drawn_and_slow_files_hold_up_nothing(
    qtbot: QtBot, widget: ReviewWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, read, held_up = threading.Event(), [], []
    pixels = image_files._pixels

    def slow(path: Path) -> Any:
        if threading.current_thread() is not threading.main_thread():
            read.append(path.stem)
            held_up.append(not gate.wait(30))
        return pixels(path)

    monkeypatch.setattr(image_files, "_pixels", slow)
    assert widget.desk.current is not None
    widget.review.table.scrollToBottom()
    qtbot.waitUntil(lambda: bool(read))
    QTest.keyClick(canvas_of(widget.viewer), Qt.Key.Key_N)
    assert widget.desk.current.shown.index == 1
    assert not held_up, "the window waited for the file"
    widget.review.table.scrollToBottom()
    gate.set()
    qtbot.waitUntil(lambda: has_colour(widget, 59, grey(236), 1_000))
    assert "30" not in read


def test_a_damaged_file_leaves_its_row_empty(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "images" / "59.png").write_bytes(b"")
    widget.review.table.scrollToBottom()
    qtbot.waitUntil(lambda: has_colour(widget, 58, grey(232), 1_000))
    qtbot.waitUntil(lambda: "The thumbnail of slice (59,) could not be drawn" in caplog.text)
    assert not has_colour(widget, 59, category_colour("tumour"))
    widget.review.table.viewport().repaint()
    assert caplog.text.count("could not be drawn") == 1


def test_the_lists_leave_the_keys_to_the_viewer(qtbot: QtBot, widget: ReviewWidget) -> None:
    canvas_of(widget.viewer).setFocus()
    assert widget.desk.current is not None
    for combo in (widget.review.bar.filter_combo, widget.review.bar.order_combo):
        QTest.mouseClick(combo, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(combo.view().isVisible)
        combo.hidePopup()
        before = widget.desk.current.shown.index
        QTest.keyClick(widget.window().focusWidget(), Qt.Key.Key_S)
        assert widget.desk.current.shown.index == before + 1
        assert not combo.currentIndex()


def test_few_are_kept(qtbot: QtBot, widget: ReviewWidget, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lazy_icons, "_KEPT", 5)
    thumbnails = widget.review._thumbnails
    assert thumbnails is not None
    for row in (20, 40, 59):
        widget.review.table.scrollTo(widget.review.table.slices.index(row, 0))
        qtbot.waitUntil(lambda r=row: has_colour(widget, r, grey(4 * r), 1_000))
    assert len(thumbnails._kept) == 5
    widget.review.table.scrollToTop()
    qtbot.waitUntil(lambda: has_colour(widget, 0, grey(0), 1_000))
