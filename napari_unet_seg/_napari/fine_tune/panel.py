"""Fine-tuning on the accepted slices: few options, a button, and the live plot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_error, show_info, show_warning
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from napari_unet_seg._napari.fine_tune.learn_bar import LearnBar
from napari_unet_seg._napari.fine_tune.messages import counted, round_summary
from napari_unet_seg._napari.segment import chosen_model
from napari_unet_seg._napari.train.panel import TrainingPanel
from napari_unet_seg._napari.widgets.form import Form
from napari_unet_seg._napari.widgets.scroll import fill_with_scroll_column
from napari_unet_seg._napari.widgets.settings import recall, remember
from napari_unet_seg.config import FINE_TUNE, TrainConfig
from napari_unet_seg.errors import ConfigError, NothingToLearnError
from napari_unet_seg.events import ItemDone, TrainStarted
from napari_unet_seg.process.engine_process import EngineProcess
from napari_unet_seg.process.training_process import NICENESS
from napari_unet_seg.session.model_lineage import is_used
from napari_unet_seg.session.rounds import run_round
from napari_unet_seg.session.session import Round
from napari_unet_seg.training.replay import names

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path

    from napari.components import ViewerModel

    from napari_unet_seg._napari.scans.folder import OtherSessions, ScanFolder
    from napari_unet_seg._napari.session.desk import SessionDesk
    from napari_unet_seg._napari.session.open_session import OpenSession
    from napari_unet_seg.events import Command
    from napari_unet_seg.session.folders import FoundSession
    from napari_unet_seg.session.session import Session

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

    Parameters
    ----------
    viewer : napari.Viewer
        Where previews are shown.
    desk : SessionDesk
        Which knows the open session.
    scans : callable
        Returns the folder of scans that is gone through, if any is.
    other_sessions : callable
        Returns the sessions of its other scans, which are learnt from too.
    """

    started = Signal()
    finished = Signal(object, bool)
    """The round, stored in its session, where it is of what is open, and if its model is used."""
    waits = Signal(object)
    """Why a round for `Learning` was not started yet."""
    set_aside = Signal(object)
    """The round, stored in its session, where it is of something else than what is open."""

    def __init__(
        self,
        viewer: ViewerModel,
        desk: SessionDesk,
        scans: Callable[[], ScanFolder | None],
        other_sessions: Callable[[], OtherSessions | None],
    ) -> None:
        super().__init__()
        self._desk, self._scans, self._other_sessions = desk, scans, other_sessions
        self._session: Session | None = None
        self._of: Session | None = None
        """Whose round it is that runs, or ran last."""
        self._folder: ScanFolder | None = None
        """The scans whose round it is; it goes on while they are gone through."""
        self._left = False
        """Whether leaving the session stopped the round."""
        self._last: Round | None = None
        """The last round, once it is stored; what was read of its session may be older."""
        self._left_out: list[ItemDone] = []
        """What it does not learn from, as it cannot be read: sessions, or slices of theirs."""
        self._by_user = True
        """Whether the user started the round that runs, or ran last."""
        self.form = Form(TrainConfig, include=_BASIC, more=_MORE)
        self.start_button = QPushButton()
        self.start_button.setToolTip(
            "Start from the model that made the prediction; if that was fine-tuned in a session, "
            "from what it was before, on the corrections of both sessions. While you go through "
            "the scans of a folder, the accepted slices of all its sessions that have the same "
            "categories are taken. " + _HINT
        )
        self.learn_bar = LearnBar()
        self.panel = TrainingPanel(viewer)
        self.result = QLabel()
        self.result.setWordWrap(True)
        self.result.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._lay_out()
        self.start_button.clicked.connect(lambda: self.start())
        self.panel.event_arrived.connect(self._on_event)
        self.panel.failed.connect(self._tell_left_out)
        self.panel.running_changed.connect(self._on_running)
        self._recall()
        self.show_session(None)

    def show_session(self, current: OpenSession | None) -> None:
        """Fine-tune on this session."""
        self._session = current.session if current else None
        if current is not None:
            current.decided.connect(self.refresh)
        self.refresh()

    @property
    def goes_on(self) -> bool:
        """Whether a round runs that outlives its session, as those of a folder do."""
        if self._folder is None:
            return False
        return self.panel.running and self._scans() is self._folder

    @property
    def beside(self) -> OtherSessions | None:
        """The sessions to learn from with the open one, where a folder is gone through."""
        return self._other_sessions()

    @property
    def accepted(self) -> int:
        """How many slices there are to learn from, in the session and in those beside it."""
        own = len(self._session.accepted) if self._session else 0
        return own + sum(len(found.accepted) for found in self._others())

    @property
    def fresh(self) -> set[tuple[Path, int]]:
        """The slices among them that no round has used, each with its session's folder."""
        session = self._session
        fresh = {(found.folder, index) for found in self._others() for index in found.unused}
        if session is not None:
            used = session.splits
            fresh |= {(session.folder, index) for index in session.accepted if index not in used}
        return fresh

    def leave(self) -> None:
        """Stop the round that runs, as its session is closed, unless it goes on."""
        if not self.goes_on:
            self._left = True
            self.panel.stop()

    def abandon(self) -> None:
        """Stop any round, as the window or the dock is closed."""
        self._folder = None
        self.leave()

    def checkpoint_of(self, finished: Round) -> Path:
        """Return the model of the last round."""
        assert self._of is not None
        return self._of.folder / finished.checkpoint

    def refresh(self) -> None:
        """Show how many slices there are to learn from, and what the rounds brought."""
        self.result.setText("\n".join(map(round_summary, self._rounds())))
        count = self.accepted if self._session else 0
        wanted = counted(count, "accepted slice") if count else "accepted slices"
        self.start_button.setText(f"Fine-tune on {wanted}")
        self.start_button.setEnabled(count > 0 and not self.panel.running)

    def base_of(self, session: Session) -> Path:
        """Return the model that a session is fine-tuned from."""
        base = session.checkpoint
        return base if base is not None and base.is_file() else chosen_model.current_model()

    def start(self, epochs: int | None = None) -> None:
        """Save the session and fine-tune in the background.

        Parameters
        ----------
        epochs : int, optional
            At most so many, for a round that the user did not ask for; its model is used if it is
            not worse.
        """
        current, session = self._desk.current, self._session
        if current is None or session is None or self.panel.running:
            return
        try:
            config = self.form.value()
        except ConfigError as error:
            show_error(str(error))
            return
        remember(_KEY, config.model_dump(mode="json"))
        if epochs is not None:
            config = config.replace(epochs=min(epochs, config.epochs))
        beside, folders = self.beside, [found.folder for found in self._others()]
        work = _round(session, current.mask.data, config, self.base_of(session), folders)
        if epochs is None:
            self.panel.show()
        else:
            work = _patient(work)
        self._by_user = epochs is None
        self._of, self._folder = session, beside.folder if beside else None
        self._left, self._left_out, self._last = False, [], None
        self.started.emit()
        session.hold()
        self._desk.lend(session)
        try:
            self.panel.start(work, "Fine-tuning")
        except BaseException:
            session.close()
            raise

    def _others(self) -> Sequence[FoundSession]:
        beside = self.beside
        return () if beside is None else beside.sessions

    def _rounds(self) -> list[Round]:
        """Return the rounds of the open session and of those beside it, in their order."""
        rounds = [*(self._session.rounds if self._session else ())]
        rounds += [each for found in self._others() for each in found.record.rounds]
        if self._last is not None and self._last not in rounds and self._applies():
            rounds.append(self._last)
        return sorted(rounds, key=lambda each: each.number)

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
        fill_with_scroll_column(self, content, _LOWEST)
        self.panel.hide()

    def _recall(self) -> None:
        try:
            values = {**FINE_TUNE.model_dump(mode="json"), **recall(_KEY, {})}
            self.form.setValue(TrainConfig.parse(values, "remembered settings"))
        except ConfigError:
            # Written by another version.
            self.form.setValue(FINE_TUNE)

    def _on_event(self, event: Any) -> None:
        if isinstance(event, ItemDone) and event.problem:
            self._left_out.append(event)
        elif isinstance(event, TrainStarted):
            self.panel.show()
            self._tell_left_out()
        elif isinstance(event, Round):
            self._on_round(event)
        elif isinstance(event, NothingToLearnError):
            self._tell_left_out()
            self.waits.emit(event)

    def _tell_left_out(self, _: Any = None) -> None:
        if self._left_out:
            show_warning(_left_out_in_words(self._left_out))
            self._left_out = []

    def _on_round(self, finished: Round) -> None:
        self._last = finished
        self.refresh()
        if not self._applies():
            self.set_aside.emit(finished)
            return
        said = round_summary(finished)
        self.panel.status.setText("Stopped." if finished.stopped else "Finished.")
        used = is_used(finished, by_user=self._by_user)
        if used:
            chosen_model.choose_model(self.checkpoint_of(finished))
            said += " The new model is chosen in Segment."
        else:
            said += " It is not used; the model stays."
        show_info(said)
        self.finished.emit(finished, used)

    def _applies(self) -> bool:
        """Whether the last round is of what is worked on now."""
        session, of = self._session, self._of
        if session is of:
            return not self._left
        if of is None or self._folder is None:
            return False
        if session is None:
            return self._scans() is self._folder
        beside = self.beside
        same = beside is not None and beside.folder is self._folder
        return same and names(session.categories) == names(of.categories)

    def _on_running(self, running: bool) -> None:
        self.form.setEnabled(not running)
        self.refresh()


def _round(
    session: Session, labels: Any, config: TrainConfig, base: Path, beside: Sequence[Path]
) -> Generator[Any, Command | None, None]:
    """Fine-tune in a child process, on the masks as they are now; lets go of the session."""
    try:
        session.save_mask(labels)
        with EngineProcess(threads=config.threads, niceness=NICENESS) as engine:
            yield from run_round(session, config, base, engine.stream, beside)
    finally:
        session.close()


def _patient(
    work: Generator[Any, Command | None, None],
) -> Generator[Any, Command | None, None]:
    """Give the reason why there is nothing to learn yet as the last event, and no error."""
    try:
        yield from work
    except NothingToLearnError as error:
        yield error


def _left_out_in_words(items: Sequence[ItemDone]) -> str:
    first = f"{items[0].name}: {items[0].problem}"
    if len(items) == 1:
        return f"Left out of the round: {first}"
    return f"{len(items)} are left out of the round; the first is {first}"
