"""Learning while correcting: short rounds of fine-tuning, and new predictions of slices to do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject

from napari_unet_seg._napari.fine_tune.predicting import Predicting
from napari_unet_seg._napari.fine_tune.tuned_choice import base_of
from napari_unet_seg._napari.segment import chosen_model
from napari_unet_seg._napari.widgets.dock_widget import connect
from napari_unet_seg._napari.widgets.messages import show_info
from napari_unet_seg.errors import SegmentationError
from napari_unet_seg.inference.head import FEWEST, has_features
from napari_unet_seg.io.common.counting import counted
from napari_unet_seg.models.description import model_name
from napari_unet_seg.models.header import read_header
from napari_unet_seg.session.model_lineage import (
    UsedModels,
    is_fine_tuned,
    latest_models,
    models_of,
    predicted_by,
    refusal,
    stored_path,
)

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path

    from napari_unet_seg._napari.fine_tune.panel import FineTunePanel
    from napari_unet_seg._napari.session.open_session import OpenSession
    from napari_unet_seg.session.session import Session
    from napari_unet_seg.session.stored.record import Round

EPOCHS = 5
"""Epochs of a background round, which should end before the next round is due."""


class Learning(QObject):
    """Starts rounds of fine-tuning as slices are accepted, and predicts the slices to do again.

    Parameters
    ----------
    panel : FineTunePanel
        Runs the rounds; its bar has the switch.
    """

    def __init__(self, panel: FineTunePanel) -> None:
        super().__init__(panel)
        self._panel, self._bar = panel, panel.learn_bar
        self.predicting = Predicting(panel.predict_bar, self)
        self.predicting.status_changed.connect(panel.learn_bar.show_status)
        self._open_session: OpenSession | None = None
        self._models = UsedModels()
        self._counted: set[tuple[Path, int]] = set()
        """Slices that rounds of Segment were started on; records of other sessions may be older."""
        self._opened_before: set[Path] = set()
        """Sessions that were open before; their unused models are not used when reopened."""
        self._is_postponed = False
        """Whether the last round had nothing to train on."""
        self._learnt = 0
        """The number of accepted slices of the session that were last learnt from in a second."""
        self._is_own_round = False
        self._bar.switch.toggled.connect(self._on_decided)
        self._bar.every.valueChanged.connect(self._on_decided)
        self._bar.back_button.clicked.connect(self.go_back)
        panel.predict_bar.wanted.connect(self._predict_rest)
        panel.predict_bar.proposals_wanted.connect(lambda: self._propose(on_screen=True))
        panel.started.connect(self._on_started)
        panel.finished.connect(self._on_round)
        panel.postponed.connect(self._on_postponed)
        panel.finished_elsewhere.connect(self._on_finished_elsewhere)
        panel.panel.running_changed.connect(self._on_running)
        connect(panel, (chosen_model.model_chosen, self._show))
        self._show()

    def show_session(self, open_session: OpenSession | None) -> None:
        """Follow an open session; sessions of one folder of scans share their models."""
        self._open_session = open_session
        self._learnt = 0
        self.predicting.show_session(open_session)
        if not self._panel.outlives_session:
            self._is_own_round = False
            self._bar.show_status("")
        if open_session is not None:
            open_session.decisions.decided.connect(self._on_decided)
            self._enter_session(open_session.session)
        self._show()

    def go_back(self) -> None:
        """Use the model before the last round, and predict the slices to do with it."""
        if self._models.go_back():
            self._store_models()
            chosen_model.choose_model(self._models.paths[-1])
            self._predict_again("Back at the previous model")

    def _enter_session(self, session: Session) -> None:
        """Use the models of a session, unless those of its folder of scans are in use."""
        owner, base = self._owner_of(session), base_of(session)
        own = models_of(session.folder, session.record, base)
        if session.folder not in self._opened_before and not chosen_model.is_model_chosen():
            others = self._panel.scope.other_sessions
            own = latest_models(session, base, others.sessions if others else ())
            _use_tuned_model(own[-1])
        self._opened_before.add(session.folder)
        self._is_postponed = self._is_postponed and self._models.owner == owner
        current = chosen_model.current_model()
        self._models.enter_session(owner, own, current)
        if is_fine_tuned(current) and current == self._models.present:
            self._store_models()
        is_old = predicted_by(session, base) != self._models.present == current
        if is_old and self._bar.switch.isChecked() and self.predicting.todo():
            self._predict_again("The model was fine-tuned since")

    def _owner_of(self, session: Session) -> Hashable:
        others = self._panel.scope.other_sessions
        return (others.folder, tuple(others.categories)) if others else session.folder

    def _on_decided(self, _: Any = None) -> None:
        open_session = self._open_session
        if open_session is None or not self._bar.switch.isChecked() or self._panel.panel.running:
            return
        unused = len(self._panel.scope.unused - self._counted)
        if unused >= self._bar.every.value() or (self._is_postponed and unused):
            self._is_own_round = True
            self._bar.show_status(f"Learning from {counted(self._panel.scope.accepted, 'slice')} …")
            self._panel.start(EPOCHS)
        elif len(open_session.session.accepted) >= self._learnt + FEWEST:
            self._propose(on_screen=False)

    def _on_started(self) -> None:
        if self._panel.scope.tunes_point:
            return  # the model of Segment has learnt nothing from its slices
        self._is_postponed = False
        self._counted |= self._panel.scope.unused

    def _on_round(self, finished: Round, used: bool) -> None:
        own, self._is_own_round = self._is_own_round, False
        if not used:
            # The panel tells of a round that the user started.
            self._bar.show_status(refusal(finished) if own else "")
            return
        self._models.add(self._panel.scope.checkpoint_of(finished))
        self._store_models()
        self._show()
        if own:
            self._predict_again(f"Round {finished.number}")
        elif self.predicting.todo():
            self._bar.show_status(
                f"Round {finished.number} is used from now on; Predict the rest again uses it on "
                "the slices still to do."
            )

    def _on_postponed(self, reason: SegmentationError) -> None:
        """Wait for the next accepted slice to start the round again."""
        self._is_own_round, self._is_postponed = False, True
        self._bar.show_status(f"Waiting to learn: {reason}")

    def _on_finished_elsewhere(self, finished: Round) -> None:
        if self._is_own_round:
            self._is_own_round = False
            self._bar.show_status(
                f"Round {finished.number} is stored in its session, and not used here."
            )

    def _store_models(self) -> None:
        """Store the used models in the session, for when it is opened again."""
        if self._open_session is not None:
            session = self._open_session.session
            stored = tuple(stored_path(path, session.folder) for path in self._models.paths)
            if session.models.used != stored:
                session.set_models(used=stored, noted=time.time())

    def _on_running(self, running: bool) -> None:
        if self._is_own_round and not running:
            self._is_own_round = False
            self._bar.show_status("The round was not finished; the model stays.")
        if self._is_postponed and not running:
            self._on_decided()  # slices may have been accepted during the round

    def _predict_rest(self) -> None:
        model = self._predicting_model()
        self.predicting.start(model_name(model), model, on_screen=True)

    def _propose(self, *, on_screen: bool) -> None:
        """Propose the slices to do by what the accepted ones teach in a second."""
        model, current = self._predicting_model(), self._open_session
        # The button says why a model cannot learn so; without it nobody has asked.
        if current is not None and (on_screen or _learns_in_a_second(model)):
            self._learnt = len(current.session.accepted)
            self.predicting.propose(model, on_screen=on_screen)

    def _predicting_model(self) -> Path:
        """Return the model that the user has chosen, else the session's."""
        chosen, present = chosen_model.current_model(), self._models.present
        return chosen if chosen_model.is_model_chosen() or present is None else present

    def _predict_again(self, why: str) -> None:
        self._show()
        self.predicting.start(why, self._models.paths[-1])

    def _show(self, _: Any = None) -> None:
        used = self._models.present == chosen_model.current_model()
        can_go_back = self._open_session is not None and used and self._models.can_go_back
        self._bar.back_button.setEnabled(can_go_back)


def _learns_in_a_second(model: Path) -> bool:
    try:
        return has_features(read_header(model))
    except SegmentationError:
        return False


def _use_tuned_model(model: Path) -> None:
    """Use a fine-tuned model, and show a message."""
    if is_fine_tuned(model) and model != chosen_model.current_model():
        chosen_model.use_model(model)
        show_info(f"Segment uses {model_name(model)}, which was fine-tuned last here.")
