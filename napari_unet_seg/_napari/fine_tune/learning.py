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
from napari_unet_seg.errors import SegmentationError
from napari_unet_seg.events import DeviceFallback, SlicePredicted, TileDone
from napari_unet_seg.models.header import read_header
from napari_unet_seg.process.engine_process import EngineProcess
from napari_unet_seg.process.warm_engine import portable
from napari_unet_seg.session.review_queue import ReviewState
from napari_unet_seg.training.replay import names

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from napari_unet_seg._napari.fine_tune.panel import FineTunePanel
    from napari_unet_seg._napari.session.open_session import OpenSession
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
        self._models: list[Path] = []
        """Those that were used one after another, the present one last."""
        self._place: Any = None
        """Of these: a session's folder, or a folder of scans and the categories."""
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
        panel.takes = self._takes
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
        if len(self._models) > 1:
            self._models.pop()
            self._note_models()
            chosen_model.choose_model(self._models[-1])
            self._predict_again("Back at the earlier model")

    def _go_on_from(self, session: Session) -> None:
        """Take up the models of a session, unless those of its folder of scans go on."""
        place, base = self._where(session), self._panel.base_of(session)
        taken = [r.checkpoint for r in session.rounds if is_usable(r)]
        own = _models_of(session.extra, session.folder, base, taken)
        if session.folder not in self._seen and not chosen_model.is_model_chosen():
            own = self._latest(session, own)
            _take_up(own[-1])
        self._seen.add(session.folder)
        self._waits = self._waits and self._place == place
        current = chosen_model.current_model()
        known = self._models if self._place == place and self._models[-1:] == [current] else []
        longer = known[-1:] == own[-1:] and len(own) > len(known)
        self._models = own if longer or not known else known
        self._place = place
        if _is_tuned(current) and current == self._models[-1]:
            self._note_models()
        is_old = _predicted_by(session, base) != self._models[-1] == current
        if is_old and self._bar.switch.isChecked() and self._todo():
            self._predict_again("The model has learnt since")

    def _latest(self, session: Session, own: list[Path]) -> list[Path]:
        """Return the models that were used last in a session, or in its folder of scans."""
        beside = self._panel.beside
        others = beside.sessions if beside else ()
        latest = max(others, key=lambda found: _noted(found.record.extra), default=None)
        if latest is not None and _noted(latest.record.extra) > _noted(session.extra):
            return _models_of(latest.record.extra, latest.folder, own[0])
        return own

    def _where(self, session: Session) -> Any:
        beside = self._panel.beside
        return (beside.folder, beside.categories) if beside else session.folder

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

    def _takes(self, finished: Round) -> bool:
        """Whether the model of a round is to be used; what the user started always is."""
        return is_usable(finished) or not self._is_ours

    def _on_round(self, finished: Round) -> None:
        taken, ours = self._takes(finished), self._is_ours
        self._is_ours = False
        if not taken:
            self._bar.say(_refusal(finished))
            return
        self._models.append(self._panel.checkpoint_of(finished))
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
            stored = [_stored(path, session.folder) for path in self._models]
            if session.extra.get("models") != stored:
                session.set_extra(models=stored, models_noted=time.time())
                self._reviewing.autosave.touch()

    def _note_predicted(self) -> None:
        if self._reviewing is not None:
            session = self._reviewing.session
            session.set_extra(predicted_by=_stored(self._models[-1], session.folder))
            self._reviewing.autosave.touch()

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
        if problem := _strange(self._models[-1], reviewing.session):
            self._bar.say(problem)
            return
        self._why, self._taken = why, 0
        self._bar.say(f"{why}: predicting {counted(len(todo), 'slice')} to do again …")

        def done() -> None:
            # One that was left for another model, or another session, has no more to say.
            if self._job is job:
                self._on_done()

        self._job = job = jobs.run(
            _predicting(self._models[-1], reviewing.session.scan, todo),
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
        used = self._models[-1:] == [chosen_model.current_model()]
        there = self._reviewing is not None and used and len(self._models) > 1
        self._bar.back_button.setEnabled(there)


def is_usable(finished: Round) -> bool:
    """Whether a round lost no Dice on the held-out slices, and was not stopped unmeasured."""
    before, after = finished.before, finished.after
    if after is None:
        return not finished.stopped
    return before is None or after >= before


def _refusal(finished: Round) -> str:
    if finished.before is None or finished.after is None:
        return f"Round {finished.number} was stopped before it was measured; the model stays."
    return (
        f"Round {finished.number} is worse on the held-out slices ({finished.before:.3f} → "
        f"{finished.after:.3f}); the earlier model stays."
    )


def _stored(path: Path, folder: Path) -> str:
    """Write a path that stays right where its session is moved, if it lies there."""
    return (path.relative_to(folder) if path.is_relative_to(folder) else path).as_posix()


def _is_tuned(model: Path) -> bool:
    """Whether a model is of a round of some session."""
    return model.parents[1].name == "rounds"


def _take_up(model: Path) -> None:
    """Use a fine-tuned model from now on, and tell."""
    if _is_tuned(model) and model != chosen_model.current_model():
        chosen_model.use_model(model)
        show_info("Segment goes on with the model that was fine-tuned here last.")


def _models_of(
    extra: dict[str, Any], folder: Path, base: Path, taken: Sequence[str] = ()
) -> list[Path]:
    """Return a session's models, used one after another, those that are still there."""
    paths = [folder / path for path in extra.get("models", (base, *taken))]
    return [path for path in paths if path.is_file()] or [base]


def _noted(extra: dict[str, Any]) -> float:
    """Return when a session's models were noted, 0 where they never were."""
    return float(extra.get("models_noted", 0)) if "models" in extra else 0.0


def _predicted_by(session: Session, base: Path) -> Path:
    """Return the model that predicted the slices to do."""
    return session.folder / session.extra.get("predicted_by", base)


def _strange(model: Path, session: Session) -> str:
    """Say why a model cannot predict a session's slices; empty if it can."""
    try:
        theirs = names(read_header(model).categories)
    except SegmentationError as error:
        return str(error)
    ours = names(session.categories)
    if theirs == ours:
        return ""
    return (
        f"{model.name} draws {', '.join(theirs)}, and the session has {', '.join(ours)}; its "
        "slices are not predicted again."
    )


def _predicting(model: Path, scan: Scan, slices: Sequence[int]) -> Generator[Any, Any, None]:
    config = chosen_model.last_config()
    with EngineProcess(threads=config.threads, niceness=NICENESS) as engine:
        yield from engine.stream(
            "napari_unet_seg.engine:predict_slices", config, model, portable(scan), slices
        )
