"""The question before a dock is closed over running jobs, which may go on without the dock."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QDockWidget, QMessageBox, QWidget

from napari_unet_seg._napari.widgets.close_guard import end_jobs, running_text
from napari_unet_seg._napari.widgets.jobs import Job, active_jobs
from napari_unet_seg._napari.widgets.windows import ancestor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Answer(Enum):
    """What is to become of the jobs of a dock that is closed."""

    STOP = "stop"
    GO_ON = "go on"
    KEEP_OPEN = "keep open"


def ask_about_jobs(jobs: Sequence[Job], parent: QWidget) -> Answer:
    """Ask whether a dock's jobs are to be stopped, or go on while the dock is hidden."""
    box = QMessageBox(parent)
    box.setObjectName("unet_seg_dock_question")
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Close the panel?")
    box.setText(running_text(jobs))
    box.setInformativeText(
        "A stopped training keeps its best and its last model. What goes on is shown when the "
        "panel is opened again."
    )
    stop = box.addButton("Stop and close", QMessageBox.ButtonRole.DestructiveRole)
    go_on = box.addButton("Go on in the background", QMessageBox.ButtonRole.AcceptRole)
    keep = box.addButton("Keep open", QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(keep)
    box.setEscapeButton(keep)
    box.exec()
    answers = {stop: Answer.STOP, go_on: Answer.GO_ON}
    answer = answers.get(box.clickedButton(), Answer.KEEP_OPEN)
    box.deleteLater()
    return answer


def guard_dock(dock: QDockWidget) -> None:
    """Make a dock ask before its × closes it while jobs run; a second call changes nothing.

    napari's × takes the widget out of the dock and deletes the dock. A dock whose jobs go on is
    hidden instead, as by the other button of its title bar, so that the menu shows it again.
    """
    close = getattr(dock, "destroyOnClose", None)
    if close is not None and not isinstance(close, _Close):
        # The title bar calls this method by its name, and Qt sends no event before.
        dock.destroyOnClose = _Close(dock, close)


class _Close:
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
            self._close()
        elif answer is Answer.GO_ON:
            self._dock.close()

    def _jobs(self) -> list[Job]:
        return [job for job in active_jobs() if ancestor(job.owner, QDockWidget) is self._dock]
