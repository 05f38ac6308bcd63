"""The question before a window or a dock is closed over running jobs, and the end of those jobs."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from napari.qt import QtViewer
from qtpy.QtCore import QEvent, QEventLoop, QObject, Qt, QTimer
from qtpy.QtWidgets import QApplication, QDockWidget, QMainWindow, QWidget

from napari_unet_seg._napari.widgets.closing import unsaved_work
from napari_unet_seg._napari.widgets.closing.question import Question, Role
from napari_unet_seg._napari.widgets.jobs import Job, JobState, active_jobs
from napari_unet_seg._napari.widgets.windows import ancestor
from napari_unet_seg.process import engine_process

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

STOP_SECONDS = 20
"""Time that jobs have to end on request before their processes are ended."""


def running_text(jobs: Sequence[Job]) -> str:
    """Return a sentence that names the running jobs."""
    names = list(dict.fromkeys(job.name for job in jobs))
    return f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} running."


def ask_to_stop(jobs: Sequence[Job], parent: QWidget) -> bool:
    """Ask whether the jobs are to be stopped; False keeps the window open."""
    kept = " ".join(dict.fromkeys(job.keeps for job in jobs if job.keeps))
    name, title = "unet_seg_close_question", "Close napari?"
    question = Question(parent, name, title, running_text(jobs), kept)
    return question.ask({"Stop and close": (Role.AcceptRole, True)}, keep=False)


def end_jobs(jobs: Sequence[Job], seconds: float = STOP_SECONDS) -> None:
    """Stop jobs and wait for their end while the window stays alive.

    Jobs that have not ended after `seconds` are closed together with the engine's processes.
    """
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
    while timer.isActive() and not all(job.state is JobState.ENDED for job in jobs):
        loop.exec()
    for job in jobs:
        job.ended.disconnect(loop.quit)
    return all(job.state is JobState.ENDED for job in jobs)


class _EndJobs(QObject):
    """Ends jobs before napari deletes a viewer that a script closes.

    A script's `viewer.close()` closes the viewer first and then its window, so the user cannot
    keep the window open. Waiting for jobs between the two would delete what napari still needs to
    close the window.
    """

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Close and (jobs := _jobs_of(watched)):
            end_jobs(jobs)
        return False


class _CloseGuard(QObject):
    """Asks the user who closes a window over unsaved work or running jobs."""

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self._asking = False

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() != QEvent.Type.Close:
            return False
        close = not self._asking and self._ask_and_end(watched)
        if not close:
            event.ignore()
        return not close

    def _ask_and_end(self, window: Any) -> bool:
        self._asking = True
        try:
            if not unsaved_work.may_close(window):
                return False
            if jobs := _jobs_of(window):
                if not ask_to_stop(jobs, window):
                    return False
                end_jobs(_jobs_of(window))  # those that ended meanwhile need no answer any more
            return True
        finally:
            self._asking = False


def _jobs_of(part: QObject) -> list[Job]:
    """Return the running jobs of a part's window, and the jobs whose owner was deleted."""
    window = ancestor(part, QMainWindow)
    return [job for job in active_jobs() if ancestor(job.owner, QMainWindow) in (None, window)]


def guard_window(window: QMainWindow) -> None:
    """Make a main window ask before it closes over unsaved work or while jobs run, once.

    A viewer that a script closes ends its jobs without a question.
    """
    direct = Qt.FindChildOption.FindDirectChildrenOnly
    if window.findChild(_CloseGuard, options=direct) is not None:
        return
    window.installEventFilter(_CloseGuard(window))
    if (viewer := window.findChild(QtViewer)) is not None:
        viewer.installEventFilter(_EndJobs(viewer))


class Answer(Enum):
    """What is to become of the jobs of a dock that is closed."""

    STOP = "stop"
    GO_ON = "go on"
    KEEP_OPEN = "keep open"


def ask_about_jobs(jobs: Sequence[Job], parent: QWidget) -> Answer:
    """Ask whether a dock's jobs are to be stopped, or go on while the dock is hidden."""
    details = (
        "A stopped training keeps its best and its last model. What goes on is shown when the "
        "panel is opened again."
    )
    name, title = "unet_seg_dock_question", "Close the panel?"
    choices = {
        "Stop and close": (Role.DestructiveRole, Answer.STOP),
        "Go on in the background": (Role.AcceptRole, Answer.GO_ON),
    }
    question = Question(parent, name, title, running_text(jobs), details)
    return question.ask(choices, keep=Answer.KEEP_OPEN)


def guard_dock(dock: QDockWidget) -> None:
    """Make a dock ask before its × closes it while jobs run; a second call changes nothing.

    napari's × takes the widget out of the dock and deletes the dock alone. The widget is deleted
    too, as it would go on following the viewer. A dock whose jobs go on is hidden instead, as by
    the other button of its title bar, so that the menu shows it again.
    """
    close = getattr(dock, "destroyOnClose", None)
    if close is not None and not isinstance(close, _CloseDock):
        # The title bar calls this method by its name, and Qt sends no event before.
        dock.destroyOnClose = _CloseDock(dock, close)


class _CloseDock:
    def __init__(self, dock: QDockWidget, close: Callable[[], Any]) -> None:
        self._dock, self._close = dock, close
        self._is_asking = False

    def __call__(self) -> None:
        if self._is_asking:
            return
        self._is_asking = True
        try:
            jobs = self._jobs()
            answer = ask_about_jobs(jobs, self._dock) if jobs else Answer.STOP
            if answer is Answer.STOP:
                # Jobs that end while the question is open need no answer any more.
                end_jobs(self._jobs())
        finally:
            self._is_asking = False
        if answer is Answer.STOP:
            widget = self._dock.widget()
            self._close()
            widget.deleteLater()
        elif answer is Answer.GO_ON:
            self._dock.close()

    def _jobs(self) -> list[Job]:
        return [job for job in active_jobs() if ancestor(job.owner, QDockWidget) is self._dock]
