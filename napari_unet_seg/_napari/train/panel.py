"""The panel of a running training: plot, progress, and buttons to pause and stop it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget
from superqt.utils import qthrottled

from napari_unet_seg._napari.train.loss_plot import LossPlot
from napari_unet_seg._napari.widgets.jobs import Job, JobState, run
from napari_unet_seg._napari.widgets.scroll import bring_into_view
from napari_unet_seg._napari.widgets.status_label import StatusLabel
from napari_unet_seg.errors import UnconfirmedError
from napari_unet_seg.events import (
    BatchEnd,
    EpochEnd,
    ItemDone,
    Preview,
    SampleMeasured,
    TrainFinished,
    TrainStarted,
)
from napari_unet_seg.training.held_out.unchanged import unchanged

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from napari.components import ViewerModel

    from napari_unet_seg.events import Command

_REFRESH_MS = 500


class TrainingPanel(QWidget):
    """Runs a generator of training events and shows them.

    `finished` carries `TrainFinished`, `preview` carries `Preview`, `event_arrived` every event
    and `failed` the error. `running_changed` is the last signal, with False, in every case.
    """

    finished = Signal(object)
    preview = Signal(object)
    event_arrived = Signal(object)
    failed = Signal(object)
    running_changed = Signal(bool)

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.job: Job | None = None
        self.plot = LossPlot(viewer)
        self.bar = QProgressBar()
        self.bar.setTextVisible(True)
        self.status = StatusLabel()
        self.pause_button = QPushButton("Pause")
        self.pause_button.setToolTip("Pause the training, and resume it at the same step")
        self.stop_button = QPushButton("Stop")
        self.stop_button.setToolTip("End the training now; the best model so far is kept")
        self.pause_button.clicked.connect(self.pause_or_resume)
        self.stop_button.clicked.connect(self.stop)
        self._show_step = qthrottled(self._show_step_now, timeout=_REFRESH_MS, parent=self)
        self._lay_out()
        self._show_job_state(JobState.ENDED)

    @property
    def running(self) -> bool:
        """Whether a training has started and not ended."""
        return self.job is not None and self.job.state is not JobState.ENDED

    def start(self, generator: Generator[Any, Command | None, None], name: str = "Training") -> Job:
        """Run a training; messages call it `name`."""
        self.plot.clear()
        self.bar.setRange(0, 0)
        self._has_ended = False
        self._scores = self._note = ""
        self._state = "Starting the engine …"
        self._show()
        bring_into_view(self)
        self.job = run(
            generator,
            on_event=self._on_event,
            on_error=self._on_error,
            on_done=self._on_done,
            name=name,
        )
        self.job.keeps = "A stopped training keeps its best and its last model."
        self.job.state_changed.connect(self._show_job_state)
        self._show_job_state(self.job.state)
        self.running_changed.emit(True)
        return self.job

    def pause_or_resume(self) -> None:
        """Pause the training, or resume it."""
        if self.job is not None:
            paused = self.job.state is JobState.PAUSED
            (self.job.resume if paused else self.job.pause)()

    def stop(self) -> None:
        """End the training after the running step; its best and last model are kept."""
        if self.job is not None:
            self.job.stop()

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.bar, 1)
        buttons.addWidget(self.pause_button)
        buttons.addWidget(self.stop_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        # On a low screen the plot is below the edge of what scrolls; Stop and the state are not.
        layout.addLayout(buttons)
        layout.addWidget(self.status)
        layout.addWidget(self.plot, 1)
        # Labels that wrap promise too little height, and the plot's axis would be cut off.
        self.setMinimumHeight(280)
        self._state = self._scores = self._note = ""
        self._epochs = self._held_out = 0
        self._has_ended = True

    def _on_event(self, event: Any) -> None:
        self.plot.on_event(event)
        show = self._HANDLERS.get(type(event))
        if show is not None:
            show(self, event)
        self.event_arrived.emit(event)

    def _on_question(self, event: UnconfirmedError) -> None:
        self._state = f"Not trained: {event.doubts}"
        self._answer()

    def _on_item(self, event: ItemDone) -> None:
        self.bar.setRange(0, event.count)
        self.bar.setValue(event.index)
        self._state = f"Reading the data: {event.index} of {event.count}"
        if event.problem:
            self._note = f"{event.name}: {event.problem}"
        self._show()

    def _on_measured(self, event: SampleMeasured) -> None:
        self.bar.setRange(0, event.count)
        self.bar.setValue(event.index)
        self._state = f"Measuring the model: held-out slice {event.index} of {event.count}"
        self._show()

    def _on_started(self, event: TrainStarted) -> None:
        self.bar.setRange(0, event.epochs * event.steps)
        self.bar.setValue(0)
        self._state = (
            f"Training on {event.train} samples, {event.valid} held out, on {event.device}."
        )
        self._note = " ".join(event.notes)
        self._scores = ""
        self._epochs, self._held_out = event.epochs, event.valid
        self._show()

    def _on_epoch(self, event: EpochEnd) -> None:
        if math.isfinite(event.valid_dice):
            best = " (best so far)" if event.is_best else ""
            self._scores = f"Epoch {event.epoch}: validation Dice {event.valid_dice:.3f}{best}."
        self._show()

    def _show_step_now(self, event: BatchEnd) -> None:
        if self._has_ended:
            return
        self.bar.setValue((event.epoch - 1) * event.steps + event.step)
        self._state = (
            f"Epoch {event.epoch} of {self._epochs}, step {event.step} of {event.steps} · "
            f"{event.samples_per_second:.1f} samples/s · {duration(event.seconds_left)} left"
        )
        self._show()

    def _on_finished(self, event: TrainFinished) -> None:
        self._has_ended = True
        self._state = "Stopped." if event.stopped else "Finished."
        if event.is_unchanged:
            self._scores = f"{unchanged(self._held_out, 'sample').capitalize()}."
        elif math.isfinite(event.valid_dice):
            self._scores = f"Best validation Dice {event.valid_dice:.3f}, epoch {event.best_epoch}."
        self._answer()
        self.finished.emit(event)

    def _on_error(self, error: Exception) -> None:
        self._state = str(error)
        self._answer()
        self.failed.emit(error)

    def _on_done(self) -> None:
        self._has_ended = True
        self.bar.setRange(0, 1)
        self.bar.setValue(1)
        self.running_changed.emit(False)

    def _show(self) -> None:
        lines = filter(None, (self._state, self._scores, self._note))
        self.status.show_progress("\n".join(lines))

    def _answer(self) -> None:
        self._show()
        bring_into_view(self.status)

    def _show_job_state(self, state: JobState) -> None:
        paused = state is JobState.PAUSED
        self.pause_button.setText("Resume" if paused else "Pause")
        self.pause_button.setEnabled(state in (JobState.RUNNING, JobState.PAUSED))
        self.stop_button.setEnabled(state in (JobState.RUNNING, JobState.PAUSED))
        self.stop_button.setText("Stopping …" if state is JobState.STOPPING else "Stop")
        self.bar.setFormat("paused" if paused else "%p %")

    _HANDLERS: ClassVar[dict[type, Callable[[TrainingPanel, Any], Any]]] = {
        ItemDone: _on_item,
        SampleMeasured: _on_measured,
        TrainStarted: _on_started,
        BatchEnd: lambda self, event: self._show_step(event),
        EpochEnd: _on_epoch,
        Preview: lambda self, event: self.preview.emit(event),
        TrainFinished: _on_finished,
        UnconfirmedError: _on_question,
    }


def duration(seconds: float) -> str:
    """Return a duration as text: `3 h 05 min`, `4 min 10 s` or `12 s`."""
    if not math.isfinite(seconds):
        return "unknown time"
    total = max(0, round(seconds))
    hours, minutes, rest = total // 3600, total // 60 % 60, total % 60
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
