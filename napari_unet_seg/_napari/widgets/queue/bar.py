"""A bar above a review queue: its progress, its order, and the states that are listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import QComboBox, QGridLayout, QProgressBar, QWidget

from napari_unet_seg._napari.widgets.settings import recall, remember
from napari_unet_seg.session.review_queue import Order, Queue, ReviewState

if TYPE_CHECKING:
    from collections.abc import Sequence

_STATES = (None, *ReviewState)


class QueueTexts(NamedTuple):
    """The texts of a queue bar, which depend on what the queue lists."""

    key: str
    """Key in the settings under which the order is remembered."""
    progress: str
    progress_tip: str
    filter_tip: str
    order_tip: str
    no_scores: str
    """Replaces `order_tip` if no row has a predicted Dice."""
    empty: str
    """Replaces the progress if the queue is empty."""


SLICE_TEXTS = QueueTexts(
    "review/order",
    "%v / %m reviewed",
    "How many of all slices are accepted, corrected or skipped",
    "Which slices are listed; Next and Previous go through these",
    "Worst first: sorted by predicted Dice, the network's estimate of how well its mask fits; "
    "slices without a predicted Dice come last",
    "No slice of this session has a predicted Dice, so worst first is the same as in order",
    "no session",
)


class QueueBar(QWidget):
    """Shows the progress of the review; the user chooses the order and the state to list.

    Parameters
    ----------
    texts : QueueTexts
        Texts for what the queue lists: slices or scans.
    """

    order_changed = Signal()
    filter_changed = Signal()

    def __init__(self, parent: QWidget | None = None, texts: QueueTexts = SLICE_TEXTS) -> None:
        super().__init__(parent)
        self._texts = texts
        self.progress = QProgressBar()
        self.progress.setToolTip(texts.progress_tip)
        self.filter_combo = QComboBox()
        self.filter_combo.setToolTip(texts.filter_tip)
        for state in _STATES:
            self.filter_combo.addItem("", state)
        self.order_combo = QComboBox()
        for order in Order:
            self.order_combo.addItem(str(order).capitalize(), order)
        self.order_combo.setCurrentIndex(max(0, self.order_combo.findText(recall(texts.key, ""))))
        for combo in (self.filter_combo, self.order_combo):
            # After a click letters still go to the viewer's keys, and do not choose an entry.
            combo.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.progress, 0, 0, 1, 2)
        layout.addWidget(self.filter_combo, 1, 0)
        layout.addWidget(self.order_combo, 1, 1)
        self.order_combo.currentIndexChanged.connect(self._on_order)
        self.filter_combo.currentIndexChanged.connect(self.filter_changed)
        self.show_scores(())
        self.show_queue(Queue())

    @property
    def order(self) -> Order:
        """The chosen order."""
        return Order(self.order_combo.currentData())

    @property
    def shown(self) -> ReviewState | None:
        """The chosen state, None for all states."""
        return _STATES[self.filter_combo.currentIndex()]

    def show_all(self) -> None:
        """Choose all states, without a signal."""
        blocker = QSignalBlocker(self.filter_combo)
        self.filter_combo.setCurrentIndex(0)
        blocker.unblock()

    def show_scores(self, scores: Sequence[float | None]) -> None:
        """Explain the order by predicted Dice in a tooltip, for the scores of the queue's rows."""
        usable = not scores or any(score is not None for score in scores)
        self.order_combo.setToolTip(self._texts.order_tip if usable else self._texts.no_scores)

    def show_queue(self, queue: Queue) -> None:
        """Show how many rows each state has."""
        total = len(queue.states)
        counts = queue.counts
        for row, state in enumerate(_STATES):
            name = state.capitalize() if state else "All"
            self.filter_combo.setItemText(row, f"{name} ({counts[state] if state else total})")
        # Otherwise the bar draws the window at once, which takes longer than all the rest.
        self.progress.setUpdatesEnabled(False)
        self.progress.setRange(0, max(1, total))
        self.progress.setValue(queue.reviewed)
        self.progress.setFormat(self._texts.progress if total else self._texts.empty)
        self.progress.setUpdatesEnabled(True)

    def _on_order(self) -> None:
        remember(self._texts.key, self.order_combo.currentText())
        self.order_changed.emit()
