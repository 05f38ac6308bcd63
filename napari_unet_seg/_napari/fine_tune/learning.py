"""Learning while correcting: short rounds of fine-tuning, and new predictions where nobody was."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_info, show_warning
from qtpy.QtCore import QObject, Signal

from napari_unet_seg._napari.fine_tune.messages import counted
from napari_unet_seg._napari.segment import chosen_model
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg._napari.widgets.dock_widget import connect
from napari_unet_seg.events import DeviceFallback, SlicePredicted, TileDone
from napari_unet_seg.process.engine_process import EngineProcess
from napari_unet_seg.process.warm_engine import portable
from napari_unet_seg.session.model_lineage import (
    UsedModels,
    category_mismatch,
    is_fine_tuned,
    latest_models,
    models_of,
    predicted_by,
    refusal,
    stored_path,
)
from napari_unet_seg.session.review_queue import ReviewState

if TYPE_CHECKING:
    from collections.abc import Generator, Hashable, Sequence
    from pathlib import Path

    from napari_unet_seg._napari.fine_tune.panel import FineTunePanel
    from napari_unet_seg._napari.session.open_session import OpenSession
    from napari_unet_seg.errors import SegmentationError
    from napari_unet_seg.events import PredictEvent
    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.session.session import Round, Session

EPOCHS = 5
"""Of a round while somebody corrects: it should be there before the next ones are due."""
NICENESS = 15


class Learning(QObject):
    """Starts rounds of fine-tuning as slices are accepted, and predicts again what is to do.

    Parameters
    ----------
    panel : FineTunePanel
        Runs the rounds; its bar holds the switch.
    """

    predicted = Signal(int)
    """How many slices got a new prediction, once all are through."""

    def __init__(self, panel: FineTunePanel) -> None:
        super().__init__(panel)
        self._panel, self._bar = panel, panel.learn_bar
        self._reviewing: OpenSession | None = None
        self._job: jobs.Job | None = None
        self._models = UsedModels()
        self._counted: set[tuple[Path, int]] = set()
        """Slices that rounds were started on; of other sessions it is read later that they were."""
        self._seen: set[Path] = set()
        """Sessions that were open before; what was not used then is not taken up later."""
        self._waits = False
        """Whether there was nothing to train on the last time."""
        self._taken = 0
        self._is_ours = False
        self._bar.switch.toggled.connect(self._on_decided)
        self._bar.every.valueChanged.connect(self._on_decided)
        self._bar.back_button.clicked.connect(self.go_back)
        panel.started.connect(self._on_started)
        panel.finished.connect(self._on_round)
        panel.waits.connect(self._on_waits)
        panel.set_aside.connect(self._on_set_aside)
        panel.panel.running_changed.connect(self._on_running)
        connect(panel, (chosen_model.model_chosen, self._show))
        self._show()

    def show_session(self, reviewing: OpenSession | None) -> None:
        """Follow an open session; of the scans of a folder, the next one goes on from the last."""
        if self._job is not None:
            self._job.quit()
            self._job = None
        self._reviewing = reviewing
        if not self._panel.goes_on:
            self._is_ours = False
            self._bar.say("")
        if reviewing is not None:
            reviewing.decided.connect(self._on_decided)
            self._go_on_from(reviewing.session)
        self._show()

    def go_back(self) -> None:
        """Use the model before the last round, and predict with it."""
        if self._models.go_back():
            self._note_models()
            chosen_model.choose_model(self._models.paths[-1])
            self._predict_again("Back at the earlier model")

    def _go_on_from(self, session: Session) -> None:
        """Take up the models of a session, unless those of its folder of scans go on."""
        owner, base = self._owner_of(session), self._panel.base_of(session)
        own = models_of(session.folder, session.record, base)
        if session.folder not in self._seen and not chosen_model.is_model_chosen():
            others = self._panel.beside
            own = latest_models(session, base, others.sessions if others else ())
            _take_up(own[-1])
        self._seen.add(session.folder)
        self._waits = self._waits and self._models.owner == owner
        current = chosen_model.current_model()
        self._models.enter_session(owner, own, current)
        if is_fine_tuned(current) and current == self._models.present:
            self._note_models()
        is_old = predicted_by(session, base) != self._models.present == current
        if is_old and self._bar.switch.isChecked() and self._todo():
            self._predict_again("The model has learnt since")

    def _owner_of(self, session: Session) -> Hashable:
        beside = self._panel.beside
        return (beside.folder, tuple(beside.categories)) if beside else session.folder

    def _on_decided(self, _: Any = None) -> None:
        reviewing = self._reviewing
        if reviewing is None or not self._bar.switch.isChecked() or self._panel.panel.running:
            return
        fresh = len(self._panel.fresh - self._counted)
        if fresh >= self._bar.every.value() or (self._waits and fresh):
            self._is_ours = True
            self._bar.say(f"Learning from {counted(self._panel.accepted, 'slice')} …")
            self._panel.start(EPOCHS)

    def _on_started(self) -> None:
        self._waits = False
        self._counted |= self._panel.fresh

    def _on_round(self, finished: Round, used: bool) -> None:
        ours, self._is_ours = self._is_ours, False
        if not used:
            self._bar.say(refusal(finished))
            return
        self._models.add(self._panel.checkpoint_of(finished))
        self._note_models()
        self._show()
        if ours:
            self._predict_again(f"Round {finished.number}")

    def _on_waits(self, reason: SegmentationError) -> None:
        """Try again with the next slice that is accepted."""
        self._is_ours, self._waits = False, True
        self._bar.say(f"Waiting to learn: {reason}")

    def _on_set_aside(self, finished: Round) -> None:
        if self._is_ours:
            self._is_ours = False
            self._bar.say(f"Round {finished.number} is kept in its session, and not used here.")

    def _note_models(self) -> None:
        """Let the way back start from the same model when the session is opened again."""
        if self._reviewing is not None:
            session = self._reviewing.session
            stored = tuple(stored_path(path, session.folder) for path in self._models.paths)
            if session.models.used != stored:
                session.set_models(used=stored, noted=time.time())

    def _note_predicted(self) -> None:
        if self._reviewing is not None:
            session = self._reviewing.session
            present = stored_path(self._models.paths[-1], session.folder)
            session.set_models(predicted_by=present)

    def _on_running(self, running: bool) -> None:
        if self._is_ours and not running:
            self._is_ours = False
            self._bar.say("The round was not finished; the model stays.")
        if self._waits and not running:
            self._on_decided()  # what was accepted meanwhile

    def _predict_again(self, why: str) -> None:
        reviewing, todo = self._reviewing, self._todo()
        self._show()
        if self._job is not None:
            self._job.quit()
            self._job = None
        if reviewing is None or not todo:
            self._bar.say(f"{why}: nothing to predict again; Segment uses the model from now on.")
            self.predicted.emit(0)
            return
        model = self._models.paths[-1]
        if problem := category_mismatch(model, reviewing.session.categories):
            self._bar.say(problem)
            return
        self._why, self._taken = why, 0
        self._bar.say(f"{why}: predicting {counted(len(todo), 'slice')} to do again …")

        def done() -> None:
            # One that was left for another model, or another session, has no more to say.
            if self._job is job:
                self._on_done()

        self._job = job = jobs.run(
            _predicting(model, reviewing.session.scan, todo),
            on_event=self._on_predicted,
            on_done=done,
            name="Predicting again",
        )

    def _todo(self) -> list[int]:
        """Return the slices to do in their order; none where that is the one on screen alone."""
        if self._reviewing is None:
            return []
        states, order = self._reviewing.session.states, self._reviewing.queue.order
        todo = [index for index in order if states[index] is ReviewState.TODO]
        return [] if todo == [self._reviewing.index] else todo

    def _on_predicted(self, event: SlicePredicted | PredictEvent) -> None:
        if self._reviewing is None:
            return
        if isinstance(event, SlicePredicted):
            self._taken += self._reviewing.predict_again(event.index, event.labels, event.dice)
            done = f"{event.done} of {event.count} slices to do predicted again"
            self._bar.say(f"{self._why}: {done}")
            if event.done == event.count:
                self._note_predicted()
        elif isinstance(event, TileDone):
            self._bar.say(f"{self._why}: {event.index} of {event.count} tiles predicted again")
        elif isinstance(event, DeviceFallback):
            show_warning(event.message)

    def _on_done(self) -> None:
        self._job = None
        if self._reviewing is not None:
            self._reviewing.arrange_again()
            self._bar.say(
                f"{self._why}: {self._taken} slices to do were predicted again. Those that you "
                "touched or that came from a file, and the one on screen, stay."
            )
        self.predicted.emit(self._taken)

    def _show(self, _: Any = None) -> None:
        used = self._models.present == chosen_model.current_model()
        there = self._reviewing is not None and used and self._models.can_go_back
        self._bar.back_button.setEnabled(there)


def _take_up(model: Path) -> None:
    """Use a fine-tuned model from now on, and tell."""
    if is_fine_tuned(model) and model != chosen_model.current_model():
        chosen_model.use_model(model)
        show_info("Segment goes on with the model that was fine-tuned here last.")


def _predicting(model: Path, scan: Scan, slices: Sequence[int]) -> Generator[Any, Any, None]:
    config = chosen_model.last_config()
    with EngineProcess(threads=config.threads, niceness=NICENESS) as engine:
        yield from engine.stream(
            "napari_unet_seg.engine:predict_slices", config, model, portable(scan), slices
        )
