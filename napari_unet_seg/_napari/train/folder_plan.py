"""What the folder of a training holds, in a line, with the table of its files a click away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from napari_unet_seg._napari.plan.dialog import PlanDialog
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg._napari.widgets.job_bar import JobBar
from napari_unet_seg.data.description import FILE_NAME
from napari_unet_seg.errors import SegmentationError
from napari_unet_seg.io.cases.case import Plan
from napari_unet_seg.io.cases.plan import as_corrected, recognising
from napari_unet_seg.io.common.counting import counted

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from napari_unet_seg.events import Progress

_STOPPED = "The search for cases was stopped; choose the folder again."


class FolderPlan(QWidget):
    """Tells the cases and masks of a folder; hidden for the data sets that Import COCO writes."""

    corrected = Signal()
    """Emitted after the user has seen the table and pressed OK."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.button = QPushButton("Files…")
        self.button.setToolTip("Show what the files of the folder are taken for, and correct it")
        self.job_bar = JobBar()
        self.dialog: PlanDialog | None = None
        self._recognised: Plan | None = None
        self._job: jobs.Job | None = None
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.button)
        layout.addWidget(self.job_bar)
        self.button.clicked.connect(self._on_button)
        self.hide()

    def show_folder(self, folder: Path | None) -> None:
        """Plan a folder in a thread and show the result."""
        if self._job is not None:
            self._job.quit()
        self._recognised = self._job = None
        for widget in (self.text, self.button, self):
            widget.hide()
        if folder is not None and folder.is_dir() and not _is_dataset(folder):
            plans = _recognise(folder)
            self._job = jobs.run(plans, on_event=self._on_recognised, name="Finding the cases")
            self.job_bar.watch(self._job)
            self.show()

    def _on_recognised(self, found: Progress | Plan | str) -> None:
        if not isinstance(found, Plan | str):
            return
        self._recognised = None if isinstance(found, str) else found
        self.button.setVisible(self._recognised is not None)
        self._show_text(found)
        self.text.show()

    def _show_text(self, found: Plan | str) -> None:
        if isinstance(found, str):
            self.text.setText(found)
            return
        plan = as_corrected(found)
        masks = sum(bool(case.masks) for case in plan.cases)
        left_out = f", {counted(len(plan.left_out), 'file')} left out" if plan.left_out else ""
        names = f"; choose of {', '.join(plan.sequences)}" if len(plan.sequences) > 1 else ""
        told = f"{counted(len(plan.cases), 'case')}, {masks} with a mask{left_out}{names}"
        self.text.setText(told)
        self.text.setToolTip(f"{plan.layout}: {plan.why}")

    def _on_button(self) -> None:
        if self._recognised is None:
            return
        self.dialog = dialog = PlanDialog(self._recognised, self.window(), "OK")
        dialog.accepted.connect(self._on_accepted)
        dialog.finished.connect(lambda _: dialog.deleteLater())
        dialog.open()

    def _on_accepted(self) -> None:
        if self._recognised is not None:
            self._show_text(self._recognised)
        self.corrected.emit()


def _is_dataset(folder: Path) -> bool:
    return (folder / FILE_NAME).is_file() and not (folder / "imagesTr").is_dir()


def _recognise(folder: Path) -> Generator[Progress | Plan | str, Any, None]:
    try:
        plan = yield from jobs.until_stopped(recognising(folder.absolute()))
        yield _STOPPED if plan is None else plan
    except SegmentationError as error:
        yield str(error)
