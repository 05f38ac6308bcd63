"""Fixtures of the window tests: nothing may be left behind."""

from __future__ import annotations

import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import dask.config
import psutil
import pytest
from npe2 import PluginManifest
from pages import PAGES, add_page
from patient_bot import PatientBot
from qtpy.QtCore import QEvent, QSettings
from qtpy.QtWidgets import QApplication

from napari_unet_seg._napari.layers import colours
from napari_unet_seg._napari.review.widget import ReviewWidget
from napari_unet_seg._napari.segment import chosen_model
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg._napari.widgets.closing import close_guard, unsaved_work
from napari_unet_seg.process import engine_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot
    from shared_children import ChildPool

HERE = __file__.rsplit("/", 1)[0]
NAPARI_WARNS = (
    "ignore:System theme detection:UserWarning",
    "ignore:.*PyQt5 backend is deprecated",
)
"""What napari itself warns of on Qt 5, each time a window opens."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if str(item.path).startswith(HERE):
            item.add_marker(pytest.mark.gui)
            for warning in NAPARI_WARNS:
                item.add_marker(pytest.mark.filterwarnings(warning))


def _children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


def _freeze() -> None:
    """Spare the collector what is there for good; napari and this file call it in each test.

    Each viewer leaves some thousand objects of napari's menus for ever, and a pass through all of
    them comes to take longer than the test.
    """
    gc.collect()
    gc.freeze()


def _flush() -> None:
    deletion = QEvent.Type.DeferredDelete  # an int in PyQt5, an enum in PyQt6
    QApplication.sendPostedEvents(None, int(getattr(deletion, "value", deletion)))
    QApplication.processEvents()


_FOR_EVER = ("zarr_io", "asyncio_", "dask_")
"""Names of the threads in which zarr and dask read, started once a process."""


@pytest.fixture(scope="session", autouse=True)
def dask_threads() -> Iterator[None]:
    """Give the threads in which dask reads, which it keeps for good, a name to know them by."""
    with ThreadPoolExecutor(2, thread_name_prefix="dask_") as pool, dask.config.set(pool=pool):
        yield


@pytest.fixture
def qtbot(qapp: QApplication, request: pytest.FixtureRequest) -> PatientBot:
    """Wait for what the window does."""
    return PatientBot(request)


@pytest.fixture(autouse=True)
def nothing_left_behind(
    qapp: QApplication,
    child_pool: ChildPool,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[None]:
    """Fail a test that leaves top-level widgets, threads, jobs or child processes behind."""
    monkeypatch.setattr(close_guard, "ask_to_stop", lambda jobs, parent: True)
    discard = unsaved_work.Answer.DISCARD
    monkeypatch.setattr(unsaved_work, "ask_about_work", lambda text, parent: discard)
    has_viewer = "make_napari_viewer" in request.fixturenames
    if has_viewer:
        _freeze()
    # Modules that napari and vispy keep for good are made before the count.
    widgets, threads, children = (
        set(qapp.topLevelWidgets()),
        set(threading.enumerate()),
        _children(),
    )
    yield
    running = jobs.active_jobs()
    close_guard.end_jobs(running)
    if has_viewer:
        gc.collect()
    _flush()
    left = set(qapp.topLevelWidgets()) - widgets
    left = {w for w in left if type(w).__name__ not in {"CanvasBackendDesktop", "QMenu"}}
    new_threads = {
        t
        for t in set(threading.enumerate()) - threads
        if not isinstance(t, threading._DummyThread) and not t.name.startswith(_FOR_EVER)
    }
    new_children = _children() - children - child_pool.pids
    engine_process.close_all()
    if (call := getattr(request.node, "rep_call", None)) and call.passed:
        assert not running, f"jobs left running: {running}"
        assert not left, f"widgets left: {left}"
        assert not new_threads, f"threads left: {new_threads}"
        assert not new_children, f"child processes left: {new_children}"


@pytest.fixture(autouse=True, scope="session")
def less_for_each_viewer() -> Iterator[None]:
    """Leave out what napari does for each viewer, and no test looks at."""
    found = list(PluginManifest.discover())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PluginManifest, "discover", lambda paths=(): iter(found))
        # Newer napari writes its welcome, which is hidden, anew for each of a hundred shortcuts.
        if find_spec(welcome := "napari._qt.widgets.qt_welcome"):
            patch.setattr(f"{welcome}.QtWelcomeWidget.refresh", lambda *_: None)
        # For a menu bar that may be hidden it is asked about each event of Qt.
        patch.delattr("napari._qt.qt_main_window._QtMainWindow.eventFilter")
        # `nothing_left_behind` collects after each test what the canvas collects as it closes.
        patch.setattr("napari._vispy.canvas.gc", SimpleNamespace(collect=lambda: None))
        yield


@pytest.fixture(autouse=True)
def warm_children(request: pytest.FixtureRequest) -> None:
    """Share the engine's child processes, but for tests that are about them."""
    if request.node.get_closest_marker("own_process") is None:
        request.getfixturevalue("shared_children")


@pytest.fixture(autouse=True)
def own_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget after a test the colours that it chose, which hold until napari ends."""
    monkeypatch.setattr(colours, "_colours", dict(colours._colours))
    monkeypatch.setattr(colours, "_chosen", set(colours._chosen))


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what the widgets remember, and the chosen models, out of the user's settings."""
    QSettings.setPath(
        QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(tmp_path / "settings")
    )
    for choice in (chosen_model.SEGMENT, chosen_model.POINT):
        monkeypatch.setattr(choice, "path", None)
        monkeypatch.setattr(choice, "is_made", False)


@pytest.fixture
def notifications() -> Iterator[list[str]]:
    """Messages that the user sees as napari notifications."""
    from napari.utils.notifications import notification_manager

    seen: list[str] = []

    def note(notification: Any) -> None:
        seen.append(str(notification.message))

    notification_manager.notification_ready.connect(note)
    yield seen
    notification_manager.notification_ready.disconnect(note)


@pytest.fixture
def dock(make_napari_viewer: Callable[..., Any]) -> Callable[..., Any]:
    """Make a widget of ours docked in a new viewer's window; a page with the dock around it."""

    def make(widget_class: Callable[..., Any]) -> Any:
        viewer = make_napari_viewer()
        if widget_class in PAGES:
            return add_page(viewer, widget_class)
        widget = widget_class(viewer)
        viewer.window.add_dock_widget(widget)
        return widget

    return make


@pytest.fixture
def open_review(qtbot: QtBot, dock: Callable[[type], Any]) -> Callable[[Path], ReviewWidget]:
    """Open the session of a folder in a new window, and show the window."""

    def opened(folder: Path) -> ReviewWidget:
        widget: ReviewWidget = dock(ReviewWidget)
        widget.viewer.window.resize(1366, 768)
        widget.viewer.show()
        with qtbot.waitSignal(widget.desk.session_changed, check_params_cb=lambda s: s is not None):
            widget.desk.open(folder)
        qtbot.waitUntil(lambda: not widget.desk.busy)
        return widget

    return opened


@pytest.fixture
def dask_without_threads() -> Iterator[None]:
    """Let dask read in the thread that asks: its pools keep their threads."""
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.fixture
def only_this_plugin(npe2pm: Any, dask_without_threads: None) -> Iterator[None]:
    """Only this plugin, as it is installed, and no threads of dask that stay."""
    with npe2pm.tmp_plugin(package="napari-unet-seg"):
        yield
