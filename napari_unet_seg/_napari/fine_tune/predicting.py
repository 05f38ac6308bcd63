"""New predictions of the slices to do of the open session, with a bar and a stop."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_unet_seg._napari.fine_tune.messages import head_summary
from napari_unet_seg._napari.fine_tune.proposal_job import proposals
from napari_unet_seg._napari.segment import chosen_model
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg._napari.widgets.messages import show_warning
from napari_unet_seg.events import DeviceFallback, HeadFitted, Progress, SlicePredicted, TileDone
from napari_unet_seg.io.common.counting import counted, was_or_were
from napari_unet_seg.models.header import read_header
from napari_unet_seg.process.engine_process import EngineProcess
from napari_unet_seg.process.warm_engine import portable
from napari_unet_seg.session.channels import scan_of_sequences
from napari_unet_seg.session.model_lineage import model_mismatch, stored_path

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
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
        self._engine = EngineProcess(niceness=NICENESS)
        """Fits to accepted slices; it stays ready while a session is open."""
        self._open_session: OpenSession | None = None
        self._job: jobs.Job | None = None
        self._model: Path | None = None
        """The checkpoint that predicts; None for a proposal, which no checkpoint makes."""
        self._predicted_by = ""
        """The model that had predicted the slices before the last job, as the session has it."""
        self._why = ""
        self._before: dict[int, tuple[Any, float | None]] = {}
        """What the last job replaced: labels and predicted Dice by slice."""
        self._on_screen = False
        self._refused = False
        """Whether the job has found that the model's predictions are the better ones."""
        self.destroyed.connect(self._engine.close)
        bar.stop_wanted.connect(self.stop)
        bar.undo_wanted.connect(self.put_back)

    def show_session(self, open_session: OpenSession | None) -> None:
        """Predict slices of another session; None for no session."""
        self.quit()
        self._engine.close()
        self._open_session = open_session
        self._keep({})
        if open_session is not None:
            open_session.decisions.decided.connect(self.refresh)
        self.refresh()

    def todo(self) -> list[int]:
        """Return the slices to do in their order; none without a session."""
        return self._open_session.decisions.queue.todo if self._open_session else []

    def refresh(self, _: object = None) -> None:
        """Show the number of slices to do."""
        accepted = len(self._open_session.session.accepted) if self._open_session else 0
        self._bar.show_todo(len(self.todo()), accepted, enabled=self._job is None)

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

        def events(current: OpenSession) -> Generator[Any, Any, None]:
            return _predict_slices(model, current.session, todo)

        self._run(why, model, model, todo, events, on_screen=on_screen)

    def propose(self, model: Path, *, on_screen: bool = False) -> None:
        """Predict the slices to do by a model whose last layer is fitted to accepted slices.

        Parameters
        ----------
        model : Path
            The checkpoint, which stays as it is.
        on_screen : bool
            Whether the slice on screen is predicted too.
        """
        todo = self.todo()

        def events(current: OpenSession) -> Generator[Any, Any, None]:
            return proposals(self._engine, model, current.session, current.mask.data, todo)

        self._run("Learning in a second", None, model, todo, events, on_screen=on_screen)

    def put_back(self) -> None:
        """Put the predictions back that the last job replaced, unless they were edited since."""
        current, before = self._open_session, self._before
        if current is None:
            return
        self._keep({})
        number = sum(
            current.replace_prediction(index, labels, nan if dice is None else dice, on_screen=True)
            for index, (labels, dice) in before.items()
        )
        current.session.set_models(predicted_by=self._predicted_by)
        current.show_predictions()
        self.status_changed.emit(f"{counted(number, 'slice')} {was_or_were(number)} put back.")

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

    def _run(
        self,
        why: str,
        model: Path | None,
        network: Path,
        todo: Sequence[int],
        events: Callable[[OpenSession], Generator[Any, Any, None]],
        *,
        on_screen: bool,
    ) -> None:
        """Start a job that predicts with a network; the slices are noted as those of a model."""
        self.quit()
        current = self._open_session
        if current is None or not todo:
            self.status_changed.emit(f"{why}: no slice to predict again; Segment uses the model.")
            self.predicted.emit(0)
            return
        if problem := model_mismatch(network, current.session.categories):
            self.status_changed.emit(problem)
            return
        self._why, self._model, self._refused = why, model, False
        self._on_screen = on_screen
        self._predicted_by = current.session.models.predicted_by
        self._keep({})
        self.status_changed.emit(f"{why}: predicting {counted(len(todo), 'slice')} to do again …")

        def done() -> None:
            # A job that was ended for another model or session shows no result.
            if self._job is job:
                self._on_done(stopped=job.was_stopped)

        self._job = job = jobs.run(
            events(current),
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
            self._replace(current, event)
            self._bar.show_progress(event.done, event.count)
            if event.done == event.count:
                self._store_predicted_by(current)
        elif isinstance(event, TileDone):
            self._bar.show_progress(event.index, event.count)
        elif isinstance(event, HeadFitted):
            self._why, self._refused = head_summary(event), not event.is_used
        elif isinstance(event, Progress):
            self._bar.show_progress(event.done, event.count)
        elif isinstance(event, DeviceFallback):
            show_warning(event.message)

    def _replace(self, current: OpenSession, event: SlicePredicted) -> None:
        session, index = current.session, event.index
        before = current.mask.data[session.masks.place(index)].copy(), session.predicted_dice[index]
        on_screen = self._on_screen
        if current.replace_prediction(index, event.labels, event.dice, on_screen=on_screen):
            self._before[index] = before

    def _keep(self, before: dict[int, tuple[Any, float | None]]) -> None:
        self._before = before
        self._bar.show_undo(bool(before))

    def _store_predicted_by(self, current: OpenSession) -> None:
        if self._model is None:
            return
        path = stored_path(self._model, current.session.folder)
        current.session.set_models(predicted_by=path)

    def _on_done(self, *, stopped: bool) -> None:
        self._job = None
        self._bar.show_running(False)
        self._keep(self._before)
        number = len(self._before)
        if self._refused:
            self.status_changed.emit(f"{self._why}; the predictions stay.")
        elif self._open_session is not None:
            self._open_session.show_predictions()
            done = f"{counted(number, 'slice')} to do {was_or_were(number)} predicted again"
            kept = "Edited slices and slices from a file did not change."
            if not self._on_screen:
                kept = "Edited slices, slices from a file and the slice on screen did not change."
            start = f"{self._why}: stopped; " if stopped else f"{self._why}: "
            self.status_changed.emit(f"{start}{done}. {kept}")
        self.refresh()
        self.predicted.emit(number)


def _predict_slices(
    model: Path, session: Session, slices: Sequence[int]
) -> Generator[Any, Any, None]:
    config = chosen_model.last_config()
    scan = scan_of_sequences(session, read_header(model).sequences)
    with EngineProcess(threads=config.threads, niceness=NICENESS) as engine:
        yield from engine.stream(
            "napari_unet_seg.engine:predict_slices", config, model, portable(scan), slices
        )
