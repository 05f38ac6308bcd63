"""A bar for a job that takes long: its name, its count, and a button that stops it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QWidget

from napari_unet_seg.events import ItemDone, Progress

if TYPE_CHECKING:
    from napari_unet_seg._napari.widgets.jobs import Job

_DELAY_MS = 300
"""A bar for less time would only flicker."""


class JobBar(QWidget):
    """Is hidden unless a job has run for a moment."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.progress = QProgressBar()
        self.stop_button = QPushButton("Stop")
        self.stop_button.setToolTip("Stop what runs")
        self.stop_button.clicked.connect(self._stop)
        self._job: Job | None = None
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(_DELAY_MS)
        self._delay.timeout.connect(self.show)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.progress, 1)
        layout.addWidget(self.stop_button)
        self.hide()

    def watch(self, job: Job) -> None:
        """Show a job until it ends; a job that is shown already gives way."""
        self._job = job
        self.progress.setRange(0, 0)
        self.progress.setFormat(job.name)
        self.stop_button.setEnabled(True)
        job.event_arrived.connect(job.unless_abandoned(lambda event: self._on_event(job, event)))
        job.ended.connect(job.unless_abandoned(lambda: self._on_ended(job)))
        self._delay.start()

    def _on_event(self, job: Job, event: Any) -> None:
        if job is self._job and isinstance(event, Progress | ItemDone):
            self.progress.setRange(0, event.count)
            self.progress.setValue(event.done if isinstance(event, Progress) else event.index)
            self.progress.setFormat(f"{job.name}: %v of %m")

    def _on_ended(self, job: Job) -> None:
        if job is self._job:
            self._job = None
            self._delay.stop()
            self.hide()

    def _stop(self) -> None:
        if self._job is not None:
            self._job.stop()
            self.stop_button.setEnabled(False)
