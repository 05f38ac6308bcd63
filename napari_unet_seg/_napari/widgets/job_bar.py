"""A bar for jobs that take long: the name, the count, and a button that stops the last one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from napari_unet_seg._napari.widgets.scroll import bring_into_view
from napari_unet_seg.events import ItemDone, Progress

if TYPE_CHECKING:
    from napari_unet_seg._napari.widgets.jobs import Job

_STOP = "Stop what runs"
_DELAY_MS = 300
"""A bar for less time would only flicker."""
_NAME_WIDTH = 200
"""Width in pixels of a name; a long one would widen the dock."""


class JobBar(QWidget):
    """Is hidden unless a job has run for a moment."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = QLabel()
        self.progress = QProgressBar()
        self.stop_button = QPushButton("Stop")
        self.stop_button.setToolTip(_STOP)
        self.stop_button.clicked.connect(self._stop)
        self._jobs: list[Job] = []
        """Running jobs, the one that is shown last."""
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(_DELAY_MS)
        self._delay.timeout.connect(self._appear)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.name)
        layout.addWidget(self.progress, 1)
        layout.addWidget(self.stop_button)
        self.hide()

    def watch(self, job: Job) -> None:
        """Show a job until it ends; a job that is shown already gives way until then."""
        self._jobs.append(job)
        job.event_arrived.connect(job.unless_abandoned(lambda event: self._on_event(job, event)))
        job.ended.connect(job.unless_abandoned(lambda: self._on_ended(job)))
        self._show_job()
        if self.isHidden():
            self._delay.start()

    def _appear(self) -> None:
        self.show()
        bring_into_view(self)

    def _on_event(self, job: Job, event: Any) -> None:
        if job is self._jobs[-1] and isinstance(event, Progress | ItemDone):
            done = event.done if isinstance(event, Progress) else event.index
            self._show_progress(job, done, event.count)

    def _on_ended(self, job: Job) -> None:
        self._jobs.remove(job)
        if self._jobs:
            self._show_job()
        else:
            self._delay.stop()
            self.hide()

    def _show_job(self) -> None:
        job = self._jobs[-1]
        self._show_progress(job)
        self.stop_button.setEnabled(not job.unstoppable and not job.was_stopped)
        self.stop_button.setToolTip(job.unstoppable or _STOP)

    def _show_progress(self, job: Job, done: int = 0, count: int = 0) -> None:
        """Show a count in the bar; a bar without an end shows no text, so that it stands beside."""
        self.progress.setRange(0, count)
        # Each new value draws the window at once, which a bar without an end shows nothing of.
        self.progress.setValue(done if count else 0)
        self.progress.setFormat(f"{job.name}: %v of %m")
        text = f"{job.name}: {done}" if done else f"{job.name}…"
        elide = Qt.TextElideMode.ElideMiddle
        self.name.setText(self.fontMetrics().elidedText(text, elide, _NAME_WIDTH))
        self.name.setToolTip(text)
        self.name.setVisible(not count)

    def _stop(self) -> None:
        if self._jobs:
            self._jobs[-1].stop()
            self.stop_button.setEnabled(False)
