"""Fine-tuning on the accepted slices: few options, a button, and the live plot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from napari_unet_seg._napari import _models
from napari_unet_seg._napari._form import Form
from napari_unet_seg._napari._learn_bar import LearnBar
from napari_unet_seg._napari._scroll import fill_scrolling
from napari_unet_seg._napari._settings import recall, remember
from napari_unet_seg._napari._train_child import NICENESS
from napari_unet_seg._napari._training_panel import TrainingPanel
from napari_unet_seg.config import FINE_TUNE, TrainConfig
from napari_unet_seg.errors import ConfigError
from napari_unet_seg.remote import EngineProcess
from napari_unet_seg.rounds import run_round
from napari_unet_seg.session import Round

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path

    from napari.components import ViewerModel

    from napari_unet_seg._napari._session_folders import Found
    from napari_unet_seg.events import Command
    from napari_unet_seg.session import Session

_BASIC = ("epochs", "learning_rate", "batch_size")
_MORE = ("replay", "freeze", "keep_statistics", "augment", "device", "threads", "seed")
_KEY = "fine_tune/config"
_LOWEST = 240
"""Pixels below which the panel does not shrink."""
_HINT = (
    "About a fifth of the accepted slices is held out for good: no round trains on them, and the "
    "Dice before and after is measured there."
)


class FineTunePanel(QWidget):
    """Trains a session's model further on its accepted slices.

    The new model is chosen in Segment once it is there.
    """

    finished = Signal(object)
    """The round, stored in the session."""

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session: Session | None = None
        self._of: Session | None = None
        """Whose round it is that runs."""
        self.takes: Callable[[Round], bool] = lambda _: True
        """Whether the model of a round is to be used."""
        self.beside: Callable[[], Sequence[Found] | None] = lambda: None
        """Returns the sessions on other scans of the folder that is gone through, if one is."""
        self.goes_on = False
        """Whether the round that runs outlives its session, as those of a folder do."""
        self._pixels: Callable[[], Any] = lambda: None
        self.form = Form(TrainConfig, include=_BASIC, more=_MORE)
        self.start_button = QPushButton()
        self.start_button.setToolTip(
            "Start from the model that made the prediction; if that was fine-tuned in a session, "
            "from what it was before, on the corrections of both sessions. While you go through "
            "the scans of a folder, the accepted slices of all its sessions are taken. " + _HINT
        )
        self.learn_bar = LearnBar()
        self.panel = TrainingPanel(viewer)
        self.result = QLabel()
        self.result.setWordWrap(True)
        self.result.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._lay_out()
        self.start_button.clicked.connect(lambda: self.start())
        self.panel.event_arrived.connect(self._on_event)
        self.panel.running_changed.connect(self._on_running)
        self._recall()
        self.show_session(None, self._pixels)

    def show_session(self, session: Session | None, pixels: Callable[[], Any]) -> None:
        """Fine-tune on this session; `pixels` returns its mask's array."""
        self._session, self._pixels = session, pixels
        self.result.setText("\n".join(map(in_words, session.rounds)) if session else "")
        self.refresh()

    @property
    def accepted(self) -> int:
        """How many slices there are to learn from, in the session and in those beside it."""
        own = len(self._session.accepted) if self._session else 0
        return own + sum(len(found.accepted) for found in self.beside() or ())

    def leave(self) -> None:
        """Stop the round that runs, as its session is closed, unless it goes on."""
        if not self.goes_on:
            self.panel.stop()

    def checkpoint_of(self, finished: Round) -> Path:
        """Return the model of the last round."""
        assert self._of is not None
        return self._of.folder / finished.checkpoint

    def refresh(self) -> None:
        """Show how many slices there are to learn from."""
        count = self.accepted if self._session else 0
        wanted = _count(count, "accepted slice") if count else "accepted slices"
        self.start_button.setText(f"Fine-tune on {wanted}")
        self.start_button.setEnabled(count > 0 and not self.panel.running)

    def base_of(self, session: Session) -> Path:
        """Return the model that a session is fine-tuned from."""
        base = session.checkpoint
        return base if base is not None and base.is_file() else _models.current_model()

    def start(self, epochs: int | None = None) -> None:
        """Save the session and fine-tune in the background, for fewer epochs if that is wished."""
        session = self._session
        if session is None or self.panel.running:
            return
        try:
            config = self.form.value()
        except ConfigError as error:
            show_error(str(error))
            return
        remember(_KEY, config.model_dump(mode="json"))
        if epochs is not None:
            config = config.replace(epochs=min(epochs, config.epochs))
        beside = self.beside()
        folders = [found.folder for found in beside or ()]
        work = _round(session, self._pixels(), config, self.base_of(session), folders)
        self._of, self.goes_on = session, beside is not None
        self.panel.show()
        self.panel.start(work, "Fine-tuning")

    def _lay_out(self) -> None:
        hint = QLabel(_HINT)
        hint.setWordWrap(True)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(4, 6, 4, 4)
        layout.setSpacing(6)
        layout.addWidget(hint)
        layout.addWidget(self.form)
        layout.addWidget(self.start_button)
        layout.addWidget(self.learn_bar)
        layout.addWidget(self.panel, 1)
        layout.addWidget(self.result)
        layout.addStretch(0)
        fill_scrolling(self, content, _LOWEST)
        self.panel.hide()

    def _recall(self) -> None:
        try:
            values = {**FINE_TUNE.model_dump(mode="json"), **recall(_KEY, {})}
            self.form.setValue(TrainConfig.parse(values, "remembered settings"))
        except ConfigError:
            # Written by another version.
            self.form.setValue(FINE_TUNE)

    def _on_event(self, event: Any) -> None:
        if not isinstance(event, Round) or self._of is None:
            return
        self._store(event)
        # A round that was stopped by closing its session still arrives, maybe in the next one.
        if self._session is not self._of and not self.goes_on:
            return
        self.panel.status.setText("Stopped." if event.stopped else "Finished.")
        said = in_words(event)
        rounds = map(in_words, self._of.rounds) if self._session is self._of else (said,)
        self.result.setText("\n".join(rounds))
        if self.takes(event):
            _models.choose_model(self.checkpoint_of(event))
            said += " The new model is chosen in Segment."
        show_info(said)
        self.finished.emit(event)

    def _store(self, finished: Round) -> None:
        """Store a round in its session if that was opened again while it ran."""
        session, of = self._session, self._of
        again = session is not None and of is not None and session.folder == of.folder
        if session is not None and again and finished not in session.rounds:
            session.finish_round(finished)

    def _on_running(self, running: bool) -> None:
        self.form.setEnabled(not running)
        self.refresh()


def in_words(finished: Round) -> str:
    """Say in one line what a round brought."""
    learnt, epochs = _count(finished.train, "slice"), _count(finished.epochs, "epoch")
    scans = f" on {len(finished.sessions) + 1} scans" if finished.sessions else ""
    start = f"Round {finished.number}{scans}: {learnt}, {epochs}"
    if not finished.held_out:
        return f"{start}; accept two or more slices to measure the Dice."
    held_out = _count(finished.held_out, "held-out slice")
    if finished.after is None:
        return f"{start}; nothing to measure on {held_out}: no mask there, and none predicted."
    text = f"{start}; Dice on {held_out} {_change(finished.before, finished.after)}"
    if finished.old_held_out:
        old = _count(finished.old_held_out, "slice")
        change = _change(finished.old_before, finished.old_after)
        text += f", on {old} of the earlier data {change}"
    return f"{text}."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _change(before: float | None, after: float | None) -> str:
    return f"{_figure(before)} → {_figure(after)}"


def _figure(dice: float | None) -> str:
    return "–" if dice is None else f"{dice:.3f}"


def _round(
    session: Session, labels: Any, config: TrainConfig, base: Path, beside: Sequence[Path]
) -> Generator[Any, Command | None, None]:
    """Fine-tune in a child process, on the masks as they are now."""
    session.save_mask(labels)
    with EngineProcess(threads=config.threads, niceness=NICENESS) as engine:
        yield from run_round(session, config, base, engine.stream, beside)
