"""The panel of fine-tuning on accepted slices: few options, a button, and the live plot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLabel, QMessageBox, QPushButton, QVBoxLayout, QWidget

from napari_unet_seg._napari.fine_tune.learn_bar import LearnBar
from napari_unet_seg._napari.fine_tune.messages import (
    OFFERED,
    held_out_message,
    outcome,
    round_summary,
    skipped_message,
)
from napari_unet_seg._napari.fine_tune.predict_bar import PredictBar
from napari_unet_seg._napari.fine_tune.round_form import RoundForm
from napari_unet_seg._napari.fine_tune.round_job import postponing, round_events
from napari_unet_seg._napari.fine_tune.round_scope import RoundScope
from napari_unet_seg._napari.fine_tune.tuned_choice import TunedChoice, base_of
from napari_unet_seg._napari.fine_tune.worse_question import ask_to_use
from napari_unet_seg._napari.segment import chosen_model
from napari_unet_seg._napari.segment.use_button import UseButton
from napari_unet_seg._napari.train.panel import TrainingPanel
from napari_unet_seg._napari.widgets.messages import show_error, show_info, show_warning
from napari_unet_seg._napari.widgets.scroll import bring_into_view, fill_with_scroll_column
from napari_unet_seg.errors import ConfigError, NothingToLearnError
from napari_unet_seg.events import ItemDone, TrainStarted
from napari_unet_seg.session.model_lineage import Use, use_of
from napari_unet_seg.session.stored.record import Round

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel

    from napari_unet_seg._napari.scans.folder import OtherSessions, ScanFolder
    from napari_unet_seg._napari.session.desk import SessionDesk
    from napari_unet_seg._napari.session.open_session import OpenSession

_MIN_HEIGHT = 240
"""Minimum height of the panel in pixels."""


class FineTunePanel(QWidget):
    """Fine-tunes the model of the open session, or the network of Point, on accepted slices.

    The new model of a round is chosen in Segment; a new network is offered for Point. Where the
    Dice fell, the user is asked before either.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer whose theme the plot follows.
    desk : SessionDesk
        Owns the open session.
    scans : callable
        Returns the open folder of scans, None if there is none.
    other_sessions : callable
        Returns the sessions on the folder's other scans, which are trained on too.
    """

    started = Signal()
    finished = Signal(object, bool)
    """Emitted with a stored round for the open session or folder, and whether Segment uses its
    model."""
    postponed = Signal(object)
    """Emitted with the reason why a round of `Learning` has nothing to train on yet."""
    finished_elsewhere = Signal(object)
    """Emitted with a stored round whose session or folder is no longer open."""

    def __init__(
        self,
        viewer: ViewerModel,
        desk: SessionDesk,
        scans: Callable[[], ScanFolder | None],
        other_sessions: Callable[[], OtherSessions | None],
    ) -> None:
        super().__init__()
        self._desk = desk
        self.scope = RoundScope(scans, other_sessions)
        self._skipped: list[ItemDone] = []
        """Sessions and slices that a round skips because they cannot be read."""
        self._by_user = True
        """Whether the user started the running or last round."""
        self.question: QMessageBox | None = None
        """The question that is open whether to use the model of the last round."""
        self.form = RoundForm()
        self.tuned = TunedChoice()
        self.start_button = QPushButton()
        self.recipe = QLabel()
        self.recipe.setWordWrap(True)
        self.recipe.hide()
        self.held_out = QLabel()
        self.held_out.setWordWrap(True)
        self.held_out.setToolTip(
            "No round trains on them, and the Dice before and after a round is measured on them"
        )
        self.predict_bar = PredictBar()
        self.learn_bar = LearnBar()
        self.panel = TrainingPanel(viewer)
        self.result = QLabel()
        self.result.setWordWrap(True)
        self.result.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.use_button = UseButton()
        self._lay_out()
        self.tuned.changed.connect(self.refresh)
        self.start_button.clicked.connect(lambda: self.start())
        self.panel.event_arrived.connect(self._on_event)
        self.panel.failed.connect(self._show_skipped)
        self.panel.running_changed.connect(self._on_running)
        self.show_session(None)

    def show_session(self, current: OpenSession | None) -> None:
        """Choose the session to fine-tune on; None for no session."""
        if self.question is not None:
            self.question.reject()
        self.scope.session = current.session if current else None
        if not self.panel.running:
            self.panel.hide()  # it shows a round of the session before
            self.recipe.hide()
            self.use_button.withdraw()
        if current is not None:
            current.decisions.decided.connect(self.refresh)
        self.refresh()

    @property
    def outlives_session(self) -> bool:
        """Whether a round of the open folder runs, which continues after its session is closed."""
        return self.panel.running and self.scope.is_folder_open

    def stop_with_session(self) -> None:
        """Stop a running round because its session is closed, unless the folder is still open."""
        if not self.outlives_session:
            self.scope.stop()
            self.panel.stop()

    def abandon(self) -> None:
        """Stop any running round because the window or the dock is closed."""
        self.scope.leave_folder()
        self.stop_with_session()

    def refresh(self) -> None:
        """Show the number of accepted slices, and the results of the rounds."""
        self.result.setText("\n".join(map(round_summary, self.scope.rounds)))
        self.result.setVisible(bool(self.result.text()))
        self.held_out.setText(held_out_message(*self.scope.held_out))
        count = self.scope.accepted if self.scope.session else 0
        self.start_button.setText(self.tuned.start_text(count))
        self.start_button.setToolTip(self.tuned.start_tip())
        self.start_button.setEnabled(count > 0 and not self.panel.running)

    def start(self, epochs: int | None = None) -> None:
        """Save the session and fine-tune in the background.

        Parameters
        ----------
        epochs : int, optional
            Maximum number of epochs of a round that the user did not start; the new model is used
            if it is neither worse nor unchanged.
        """
        current, session = self._desk.current, self.scope.session
        if current is None or session is None or self.panel.running:
            return
        try:
            config = self.form.taken()
        except ConfigError as error:
            show_error(str(error))
            return
        if epochs is not None:
            config = config.replace(epochs=min(epochs, config.epochs))
        folders = [found.folder for found in self.scope.others]
        tunes_point = epochs is None and self.tuned.is_point
        base = chosen_model.POINT.current() if tunes_point else base_of(session)
        events = round_events(session, current.mask.data, config, base, folders)
        if epochs is None:
            self.panel.show()
        else:
            events = postponing(events)
        self._by_user = epochs is None
        self._skipped = []
        self.use_button.withdraw()
        self.scope.begin(tunes_point=tunes_point)
        self.started.emit()
        session.hold()
        self._desk.lend(session)
        try:
            self.panel.start(events, "Fine-tuning")
        except BaseException:
            session.close()
            raise

    def _lay_out(self) -> None:
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(4, 6, 4, 4)
        layout.setSpacing(6)
        layout.addWidget(self.held_out)
        layout.addWidget(self.tuned)
        layout.addWidget(self.form)
        layout.addWidget(self.recipe)
        layout.addWidget(self.start_button)
        layout.addWidget(self.predict_bar)
        layout.addWidget(self.learn_bar)
        layout.addWidget(self.result)
        layout.addWidget(self.use_button)
        layout.addWidget(self.panel, 1)
        layout.addStretch(0)
        fill_with_scroll_column(self, content, _MIN_HEIGHT)
        self.panel.hide()

    def _on_event(self, event: Any) -> None:
        if isinstance(event, ItemDone) and event.problem:
            self._skipped.append(event)
        elif isinstance(event, TrainStarted):
            self.recipe.setText(event.recipe)
            self.recipe.setVisible(bool(event.recipe))
            self.panel.show()
            self._show_skipped()
        elif isinstance(event, Round):
            self._on_round(event)
        elif isinstance(event, NothingToLearnError):
            self._show_skipped()
            self.postponed.emit(event)

    def _show_skipped(self, _: Any = None) -> None:
        if self._skipped:
            show_warning(skipped_message(self._skipped))
            self._skipped = []

    def _on_round(self, finished: Round) -> None:
        self.scope.add(finished)
        self.refresh()
        use = use_of(finished, by_user=self._by_user)
        if not self.scope.applies:
            if finished.prompts and use is Use.YES:
                # No button offers it, but it is in the list below Point.
                chosen_model.POINT.add_recent(self.scope.checkpoint_of(finished))
            self.finished_elsewhere.emit(finished)
            return
        self.panel.status.setText("Stopped." if finished.stopped else "Finished.")
        if use is Use.ASK:
            self.question = ask_to_use(self, finished, lambda used: self._conclude(finished, used))
        elif finished.prompts and use is Use.YES:
            self.use_button.offer(self.scope.checkpoint_of(finished))
            self._tell(finished, OFFERED)
        else:
            self._conclude(finished, use is Use.YES)

    def _conclude(self, finished: Round, used: bool) -> None:
        """Use the model of a round, or not."""
        self.question = None
        if used:
            place = chosen_model.POINT if finished.prompts else chosen_model.SEGMENT
            place.choose(self.scope.checkpoint_of(finished))
        self._tell(finished, outcome(finished, used=used), used and not finished.prompts)

    def _tell(self, finished: Round, result: str, in_segment: bool = False) -> None:
        show_info(f"{round_summary(finished)}{result}")
        bring_into_view(self.panel)  # and what is said above it
        self.finished.emit(finished, in_segment)

    def _on_running(self, running: bool) -> None:
        self.form.setEnabled(not running)
        self.tuned.setEnabled(not running)
        if self.scope.is_stopped and not running:
            self.panel.hide()
        self.refresh()
