"""The plan of a folder that is opened, shown to the user before its scans are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_unet_seg._napari.plan.dialog import PlanDialog, needs_look
from napari_unet_seg._napari.plan.opened_folders import OPENED
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg._napari.widgets.dock_widget import connect
from napari_unet_seg.io.cases.corrections import correct
from napari_unet_seg.io.cases.plan import recognise_folder
from napari_unet_seg.io.cases.remembered import recall_corrections

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QWidget

    from napari_unet_seg.io.cases.case import Plan


class FolderPlanner(QObject):
    """Plans a folder in a thread, and asks about all but one plain case.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer whose folders are opened.
    dock : QWidget
        The dock below the dialog.
    """

    planned = Signal(object)
    """Emitted with the plan whose scans are opened."""

    def __init__(self, viewer: ViewerModel, dock: QWidget) -> None:
        super().__init__(dock)
        self._viewer, self._dock = viewer, dock
        self.dialog: PlanDialog | None = None
        connect(dock, (OPENED.planned, self._on_opened))

    def plan(self, folder: Path) -> None:
        """Plan a folder; nothing follows if it holds no scans or the user cancels."""
        jobs.run(_recognise(folder), on_event=self._on_recognised, name="Finding the scans")

    def _on_recognised(self, plan: Plan) -> None:
        corrected = correct(plan, recall_corrections(plan.root))
        if not needs_look(corrected):
            self.planned.emit(corrected)
            return
        self.dialog = dialog = PlanDialog(plan, self._dock.window())
        dialog.accepted.connect(lambda: self.planned.emit(dialog.plan))
        dialog.finished.connect(lambda _: dialog.deleteLater())
        dialog.open()

    def _on_opened(self, viewer: ViewerModel, plan: Plan) -> None:
        # napari gives plugins proxies of the viewer.
        own = getattr(self._viewer, "__wrapped__", self._viewer)
        if getattr(viewer, "__wrapped__", viewer) is own:
            self.planned.emit(plan)


def _recognise(folder: Path) -> Generator[Plan, Any, None]:
    yield recognise_folder(folder.absolute())
