"""Sessions that outlive a crash, and several at a time."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pages import add_page, dock_of
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from scene import SHAPE
from sessions import mask_of, start_session

from napari_unet_seg._napari.review.widget import ReviewWidget
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg.session.review_queue import ReviewState
from napari_unet_seg.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytestqt.qtbot import QtBot

WINDOWS = Path(__file__).parents[2] / "helpers" / "window"


@contextmanager
def another_window(script: str, word: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another window, of another process, once it has said a word."""
    paths = (folder / name for name in ("s", "settings", "painted.npy"))
    command = [sys.executable, str(WINDOWS / script), *map(str, paths)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert f"{word}\n" in iter(process.stdout.readline, "")
        yield process
        process.kill()


@pytest.fixture
def window(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another window, in which a session was painted in and saved."""
    with another_window("painting_window.py", "saved", tmp_path) as process:
        yield process


def open_dock(dock: Callable[[type], Any], value: int) -> ReviewWidget:
    widget: ReviewWidget = dock(ReviewWidget)
    widget.viewer.add_image(np.full(SHAPE, value, np.uint8), name="head")
    widget.viewer.add_labels(np.zeros(SHAPE, np.uint8), name="head mask")
    return widget


def start(qtbot: QtBot, widget: ReviewWidget, folder: Path) -> Any:
    start_session(qtbot, widget, folder)
    return mask_of(widget)


def offered(qtbot: QtBot, widget: ReviewWidget) -> Path | None:
    """Return the session that is offered, once it is known."""
    qtbot.waitUntil(lambda: not jobs.active_jobs())
    return dock_of(widget).open_page.offered


def click(button: Any) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_what_was_painted_before_a_crash_is_offered_and_there(
    qtbot: QtBot,
    dock: Callable[[type], Any],
    tmp_path: Path,
    window: subprocess.Popen[str],
    notifications: list[str],
) -> None:
    widget: ReviewWidget = dock(ReviewWidget)
    widget.desk.open(tmp_path / "s")
    qtbot.waitUntil(lambda: not widget.desk.busy)
    assert f"open in another window (process {window.pid} on " in notifications[-1]
    assert offered(qtbot, widget) is None
    window.kill()
    window.wait(60)
    widget = dock(ReviewWidget)
    assert offered(qtbot, widget) == tmp_path / "s"
    saved = datetime.fromtimestamp((tmp_path / "s" / "session.json").stat().st_mtime)
    assert dock_of(widget).open_page.reopen_button.text().startswith("Reopen “s” (saved ")
    assert f"{saved:%H:%M})" in dock_of(widget).open_page.reopen_button.text()
    with qtbot.waitSignal(widget.desk.session_changed):
        click(dock_of(widget).open_page.reopen_button)
    qtbot.waitUntil(lambda: not widget.desk.busy)
    assert widget.desk.current is not None
    painted = np.load(tmp_path / "painted.npy")
    assert painted[2, 12, 10] == painted[2, 30, 40] == 3, "from where the stroke began to its end"
    np.testing.assert_array_equal(widget.desk.current.mask.data, painted)
    assert dock_of(widget).open_page.offered is None
    widget.desk.close()
    assert offered(qtbot, dock(ReviewWidget)) is None


def test_a_crash_in_the_middle_of_carry_loses_nothing(
    qtbot: QtBot, dock: Callable[[type], Any], tmp_path: Path
) -> None:
    with another_window("carrying_window.py", "carrying", tmp_path) as window:
        window.kill()
    widget: ReviewWidget = dock(ReviewWidget)
    assert offered(qtbot, widget) == tmp_path / "s", "it is told"
    with qtbot.waitSignal(widget.desk.session_changed):
        click(dock_of(widget).open_page.reopen_button)
    qtbot.waitUntil(lambda: not widget.desk.busy)
    current, session = widget.desk.current, widget.session
    assert current is not None and session is not None
    assert [(each.kind, each.part) for each in session.prompts] == [("click", (4,))]
    assert session.states[1] is ReviewState.CORRECTED
    mask = np.load(tmp_path / "painted.npy")
    assert mask[4].sum() > 100 and mask[1].sum() == 1
    np.testing.assert_array_equal(current.mask.data, mask)
    assert session.carried == {}, "all of it or nothing"
    widget.desk.close()
    hidden = [path for path in (tmp_path / "s").rglob(".*") if not path.name.startswith(".z")]
    assert hidden == [], "no half-written files"


def test_a_declined_session_is_not_offered_again(
    qtbot: QtBot, dock: Callable[[type], Any], tmp_path: Path, window: subprocess.Popen[str]
) -> None:
    window.kill()
    window.wait(60)
    widget: ReviewWidget = dock(ReviewWidget)
    assert offered(qtbot, widget) == tmp_path / "s"
    click(dock_of(widget).open_page.decline_button)
    assert offered(qtbot, widget) is None
    assert offered(qtbot, dock(ReviewWidget)) is None
    Session.open(tmp_path / "s", hold=True).close()


def test_two_sessions_in_two_windows_do_not_mix(
    qtbot: QtBot, dock: Callable[[type], Any], tmp_path: Path, notifications: list[str]
) -> None:
    widgets = [open_dock(dock, value) for value in (10, 20)]
    masks = [start(qtbot, w, tmp_path / f"s{i}") for i, w in enumerate(widgets)]
    for index, mask in enumerate(masks):
        mask.data_setitem((np.array([index]), np.array([5]), np.array([6])), 1)
    for index, widget in enumerate(widgets):
        widget.viewer.dims.set_point(0, index)
        assert widget.desk.current is not None
        with qtbot.waitSignal(widget.desk.current.autosave.saved):
            widget.review.buttons["accept"].click()
    widgets[1].desk.open(tmp_path / "s0")
    qtbot.waitUntil(lambda: not widgets[1].desk.busy)
    assert "The session s0 is open in another window of this program" in notifications[-1]
    assert widgets[1].session is not None
    assert widgets[1].session.folder.name == "s1"
    for widget in widgets:
        widget.desk.close()
    for index in range(2):
        stored = Session.open(tmp_path / f"s{index}")
        expected = np.zeros(SHAPE, np.uint8)
        expected[index, 5, 6] = 1
        np.testing.assert_array_equal(stored.load_mask(), expected)
        assert stored.accepted == (index,)
        assert int(np.asarray(stored.scan.data)[0, 0, 0]) == 10 * (index + 1)


@pytest.mark.parametrize("by_its_button", [False, True])
def test_closing_a_window_closes_its_session(
    qtbot: QtBot, make_napari_viewer: Callable[..., Any], tmp_path: Path, *, by_its_button: bool
) -> None:
    viewers = [make_napari_viewer() for _ in range(2)]

    def make(_: type) -> ReviewWidget:
        widget: ReviewWidget = add_page(viewers[0], ReviewWidget)
        return widget

    widget = open_dock(make, 10)
    mask = start(qtbot, widget, tmp_path / "s")
    mask.data_setitem((np.array([1]), np.array([5]), np.array([6])), 1)
    if by_its_button:
        # Not waitSignal, which would disconnect from a widget that is gone.
        gone: list[bool] = []
        widget.destroyed.connect(lambda: gone.append(True))
        widget.window().close()
        qtbot.waitUntil(lambda: bool(gone))
        del viewers[0].window._qt_window  # so that nobody closes it again
    else:
        viewers[0].close()
    again = Session.open(tmp_path / "s", hold=True)
    assert again.load_mask()[1, 5, 6] == 1
    again.close()
