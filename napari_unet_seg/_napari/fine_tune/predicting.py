"""New predictions of the slices to do of the open session, with a bar and a stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_unet_seg._napari.segment import chosen_model
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg._napari.widgets.messages import show_warning
from napari_unet_seg.events import DeviceFallback, SlicePredicted, TileDone
from napari_unet_seg.io.common.counting import counted, was_or_were
from napari_unet_seg.models.header import read_header
from napari_unet_seg.process.engine_process import EngineProcess
from napari_unet_seg.process.warm_engine import portable
from napari_unet_seg.session.channels import scan_of_sequences
from napari_unet_seg.session.model_lineage import model_mismatch, stored_path

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from napari_unet_seg._napari.fine_tune.predict_bar import PredictBar
    from napari_unet_seg._napari.session.open_session import OpenSession
    from napari_unet_seg.events import PredictEvent
    from napari_unet_seg.session.session import Session

NICENESS = 15


class Predicting(QObject):
    """Predicts the slices to do of a session again, one job at a time.

    Parameters
    ----------
    bar : PredictBar
        Shows the progress, and starts and stops.
    parent : QObject
        Owner of this object.
    """

    status_changed = Signal(str)
    """Emitted with a message on what is predicted."""
    predicted = Signal(int)
    """Emitted with the number of slices that got a new prediction, when the job has ended."""

    def __init__(self, bar: PredictBar, parent: QObject) -> None:
        super().__init__(parent)
        self._bar = bar
        self._open_session: OpenSession | None = None
        self._job: jobs.Job | None = None
        self._model: Path | None = None
        self._why = ""
        self._replaced_count = 0
        self._on_screen = False
        bar.stop_wanted.connect(self.stop)

    def show_session(self, open_session: OpenSession | None) -> None:
        """Predict slices of another session; None for no session."""
        self.quit()
        self._open_session = open_session
        if open_session is not None:
            open_session.decisions.decided.connect(self.refresh)
        self.refresh()

    def todo(self) -> list[int]:
        """Return the slices to do in their order; none without a session."""
        return self._open_session.decisions.queue.todo if self._open_session else []

    def refresh(self, _: object = None) -> None:
        """Show the number of slices to do."""
        self._bar.show_todo(len(self.todo()), enabled=self._job is None)

    def start(self, why: str, model: Path, *, on_screen: bool = False) -> None:
        """Predict the slices to do, in place of a job that still runs.

        Parameters
        ----------
        why : str
            The reason, as messages begin.
        model : Path
            The checkpoint that predicts.
        on_screen : bool
            Whether the slice on screen is predicted too.
        """
        todo, current = self.todo(), self._open_session
        if not on_screen and current is not None and todo == [current.shown.index]:
            todo = []
        self._start(why, model, todo, on_screen=on_screen)

    def stop(self) -> None:
        """End the job after the running slice; what is predicted stays."""
        if self._job is not None:
            self._job.stop()

    def quit(self) -> None:
        """End the job without a result, for another session or model."""
        if self._job is not None:
            self._job.quit()
            self._job = None
            self._bar.show_running(False)

    def _start(self, why: str, model: Path, todo: Sequence[int], *, on_screen: bool) -> None:
        self.quit()
        current = self._open_session
        if current is None or not todo:
            self.status_changed.emit(f"{why}: no slice to predict again; Segment uses the model.")
            self.predicted.emit(0)
            return
        if problem := model_mismatch(model, current.session.categories):
            self.status_changed.emit(problem)
            return
        self._why, self._model, self._replaced_count = why, model, 0
        self._on_screen = on_screen
        self.status_changed.emit(f"{why}: predicting {counted(len(todo), 'slice')} to do again …")

        def done() -> None:
            # A job that was ended for another model or session shows no result.
            if self._job is job:
                self._on_done(stopped=job.was_stopped)

        self._job = job = jobs.run(
            _predict_slices(model, current.session, todo),
            on_event=self._on_event,
            on_done=done,
            name="Predicting again",
        )
        self._bar.show_running(True)
        self.refresh()

    def _on_event(self, event: SlicePredicted | PredictEvent) -> None:
        current = self._open_session
        if current is None:
            return
        if isinstance(event, SlicePredicted):
            self._replaced_count += current.replace_prediction(
                event.index, event.labels, event.dice, on_screen=self._on_screen
            )
            self._bar.show_progress(event.done, event.count)
            if event.done == event.count:
                self._store_predicted_by(current)
        elif isinstance(event, TileDone):
            self._bar.show_progress(event.index, event.count)
        elif isinstance(event, DeviceFallback):
            show_warning(event.message)

    def _store_predicted_by(self, current: OpenSession) -> None:
        assert self._model is not None
        path = stored_path(self._model, current.session.folder)
        current.session.set_models(predicted_by=path)

    def _on_done(self, *, stopped: bool) -> None:
        self._job = None
        self._bar.show_running(False)
        if self._open_session is not None:
            self._open_session.show_predictions()
            number = self._replaced_count
            done = f"{counted(number, 'slice')} to do {was_or_were(number)} predicted again"
            kept = "Edited slices and slices from a file did not change."
            if not self._on_screen:
                kept = "Edited slices, slices from a file and the slice on screen did not change."
            start = f"{self._why}: stopped; " if stopped else f"{self._why}: "
            self.status_changed.emit(f"{start}{done}. {kept}")
        self.refresh()
        self.predicted.emit(self._replaced_count)


def _predict_slices(
    model: Path, session: Session, slices: Sequence[int]
) -> Generator[Any, Any, None]:
    config = chosen_model.last_config()
    scan = scan_of_sequences(session, read_header(model).sequences)
    with EngineProcess(threads=config.threads, niceness=NICENESS) as engine:
        yield from engine.stream(
            "napari_unet_seg.engine:predict_slices", config, model, portable(scan), slices
        )
