"""The plan of a folder that is opened, shown to the user before its scans are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_unet_seg._napari.plan.dialog import PlanDialog, needs_look
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg.io.cases.case import Plan
from napari_unet_seg.io.cases.plan import as_corrected, recognising

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from qtpy.QtWidgets import QWidget

    from napari_unet_seg.events import Progress


class FolderPlanner(QObject):
    """Plans a folder in a thread, and asks about all but one plain case.

    Parameters
    ----------
    dock : QWidget
        The dock below the dialog.
    """

    planned = Signal(object)
    """Emitted with the plan whose scans are opened."""
    job_started = Signal(object)
    """Emitted with the `Job` that plans."""

    def __init__(self, dock: QWidget) -> None:
        super().__init__(dock)
        self._dock = dock
        self._job: jobs.Job | None = None
        self.dialog: PlanDialog | None = None

    def plan(self, folder: Path) -> None:
        """Plan a folder; nothing follows if it holds no scans, or the user stops or cancels.

        A folder that is still being planned is left for this one.
        """
        if self._job is not None:
            self._job.quit()
        self._job = jobs.run(_recognise(folder), on_event=self._on_event, name="Finding the scans")
        self.job_started.emit(self._job)

    def show(self, recognised: Plan) -> None:
        """Go on with a plan as it was recognised."""
        corrected = as_corrected(recognised)
        if not needs_look(corrected):
            self.planned.emit(corrected)
            return
        self.dialog = dialog = PlanDialog(recognised, self._dock.window())
        dialog.accepted.connect(lambda: self.planned.emit(dialog.plan))
        dialog.finished.connect(lambda _: dialog.deleteLater())
        dialog.open()

    def _on_event(self, event: Progress | Plan) -> None:
        if isinstance(event, Plan):
            self.show(event)


def _recognise(folder: Path) -> Generator[Progress | Plan, Any, None]:
    plan = yield from jobs.until_stopped(recognising(folder.absolute()))
    if plan is not None:
        yield plan
