"""Asks before a window is closed over running jobs, and ends them in good order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.qt import QtViewer
from qtpy.QtCore import QEvent, QEventLoop, QObject, Qt, QTimer
from qtpy.QtWidgets import QApplication, QMainWindow, QMessageBox, QWidget

from napari_unet_seg._napari.widgets.dock_widget import ancestor
from napari_unet_seg.process import engine_process

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_unet_seg._napari.widgets.jobs import Job

STOP_SECONDS = 20
"""How long jobs may take to end in good order before they are cut off."""


def ask_to_stop(jobs: Sequence[Job], parent: QWidget) -> bool:
    """Ask whether the jobs are to be stopped; False keeps the window open."""
    names = " and ".join(dict.fromkeys(job.name for job in jobs))
    box = QMessageBox(parent)
    box.setObjectName("unet_seg_close_question")
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Close napari?")
    box.setText(f"{names} {'is' if len(jobs) == 1 else 'are'} running.")
    box.setInformativeText("A stopped training keeps its best and its last model.")
    stop = box.addButton("Stop and close", QMessageBox.ButtonRole.AcceptRole)
    keep = box.addButton("Keep open", QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(keep)
    box.setEscapeButton(keep)
    box.exec()
    stopped = box.clickedButton() is stop
    box.deleteLater()
    return stopped


def end_jobs(jobs: Sequence[Job], seconds: float = STOP_SECONDS) -> None:
    """Stop jobs and wait for them, the window alive; cut off those that take too long."""
    QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
    try:
        for job in jobs:
            job.stop()
        if not _wait_for(jobs, seconds):
            for job in jobs:
                job.quit()
            engine_process.close_all()
            _wait_for(jobs, seconds)
    finally:
        QApplication.restoreOverrideCursor()


def _wait_for(jobs: Sequence[Job], seconds: float) -> bool:
    loop, timer = QEventLoop(), QTimer()
    timer.setSingleShot(True)
    timer.timeout.connect(loop.quit)
    for job in jobs:
        job.ended.connect(loop.quit)
    timer.start(int(seconds * 1000))
    while timer.isActive() and not all(_ended(job) for job in jobs):
        loop.exec()
    for job in jobs:
        job.ended.disconnect(loop.quit)
    return all(_ended(job) for job in jobs)


def _ended(job: Job) -> bool:
    return bool(job.state.value == "ended")


class _EndJobs(QObject):
    """Ends jobs before napari takes a viewer apart, which no answer of a user could keep.

    A script's `viewer.close()` closes the viewer first and then its window. Waiting for jobs
    between the two would delete what napari still needs to close the window.
    """

    def __init__(self, viewer: QtViewer, jobs: Callable[[], Sequence[Job]]) -> None:
        super().__init__(viewer)
        self._jobs = jobs

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Close and (jobs := _of_window(watched, self._jobs())):
            end_jobs(jobs)
        return False


class _CloseGuard(QObject):
    """Asks the user who closes a window over running jobs."""

    def __init__(self, window: QMainWindow, jobs: Callable[[], Sequence[Job]]) -> None:
        super().__init__(window)
        self._jobs = jobs
        self._asking = False

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() != QEvent.Type.Close:
            return False
        if not self._asking and not _of_window(watched, self._jobs()):
            return False
        close = not self._asking and self._ask_and_end(watched)
        if not close:
            event.ignore()
        return not close

    def _ask_and_end(self, window: Any) -> bool:
        self._asking = True
        try:
            # Jobs that end while the question is open need no answer any more.
            stop = ask_to_stop(_of_window(window, self._jobs()), window)
            if stop:
                end_jobs(_of_window(window, self._jobs()))
            return stop
        finally:
            self._asking = False


def _of_window(part: QObject, jobs: Sequence[Job]) -> list[Job]:
    """Return the jobs of a window or a part of it, and those of which it is not known."""
    window = ancestor(part, QMainWindow)
    return [job for job in jobs if ancestor(job.owner, QMainWindow) in (None, window)]


def guard_windows(jobs: Callable[[], Sequence[Job]]) -> None:
    """Let every main window ask before it closes while there are jobs of its own.

    A viewer that a script closes ends them unasked.
    """
    for window in QApplication.topLevelWidgets():
        if isinstance(window, QMainWindow) and _child(window, _CloseGuard) is None:
            window.installEventFilter(_CloseGuard(window, jobs))
            if (viewer := window.findChild(QtViewer)) is not None:
                viewer.installEventFilter(_EndJobs(viewer, jobs))


def _child(window: QMainWindow, kind: type[QObject]) -> QObject | None:
    child: QObject | None = window.findChild(
        kind, options=Qt.FindChildOption.FindDirectChildrenOnly
    )
    return child
