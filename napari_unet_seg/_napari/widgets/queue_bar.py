"""Progress over slices or scans, their order, and which of them are listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import QComboBox, QGridLayout, QProgressBar, QWidget

from napari_unet_seg._napari.widgets.settings import recall, remember
from napari_unet_seg.session.review_queue import Order, Queue, ReviewState

if TYPE_CHECKING:
    from collections.abc import Sequence

_STATES = (None, *ReviewState)


class Wording(NamedTuple):
    """What a bar says about the rows of its list."""

    key: str
    """Under which the order is remembered."""
    progress: str
    progress_tip: str
    filter_tip: str
    order_tip: str
    no_figures: str
    """In place of `order_tip`, where nothing has a predicted Dice."""
    nothing: str
    """In place of the progress, where nothing is listed."""


SLICES = Wording(
    "review/order",
    "%v / %m reviewed",
    "Slices accepted, corrected or skipped, of all",
    "Which slices are listed; next and previous go to these",
    "Worst first: by predicted Dice, how well the network thinks its mask fits; slices without a "
    "figure come last",
    "No slice of this session has a predicted Dice, so that worst first is the same as in order",
    "no session",
)


class QueueBar(QWidget):
    """Shows how far the review is; chooses the order and the state that is listed.

    Parameters
    ----------
    says : Wording
        Of what is listed.
    """

    order_changed = Signal()
    filter_changed = Signal()

    def __init__(self, parent: QWidget | None = None, says: Wording = SLICES) -> None:
        super().__init__(parent)
        self._says = says
        self.progress = QProgressBar()
        self.progress.setToolTip(says.progress_tip)
        self.filter_combo = QComboBox()
        self.filter_combo.setToolTip(says.filter_tip)
        for state in _STATES:
            self.filter_combo.addItem("", state)
        self.order_combo = QComboBox()
        for order in Order:
            self.order_combo.addItem(str(order).capitalize(), order)
        self.order_combo.setCurrentIndex(max(0, self.order_combo.findText(recall(says.key, ""))))
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
        self.show_figures(())
        self.show_queue(Queue())

    @property
    def order(self) -> Order:
        """The order that is chosen."""
        return Order(self.order_combo.currentData())

    @property
    def shown(self) -> ReviewState | None:
        """The state that is chosen, None for all."""
        return _STATES[self.filter_combo.currentIndex()]

    def show_all(self) -> None:
        """List all, without a signal."""
        blocker = QSignalBlocker(self.filter_combo)
        self.filter_combo.setCurrentIndex(0)
        blocker.unblock()

    def show_figures(self, figures: Sequence[float | None]) -> None:
        """Say what an order by these figures is worth."""
        known = any(figure is not None for figure in figures)
        self.order_combo.setToolTip(
            self._says.order_tip if known or not figures else self._says.no_figures
        )

    def show_queue(self, queue: Queue) -> None:
        """Show how many there are in each state."""
        total = len(queue.states)
        counts = queue.counts
        for row, state in enumerate(_STATES):
            name = state.capitalize() if state else "All"
            self.filter_combo.setItemText(row, f"{name} ({counts[state] if state else total})")
        # Else it would draw the window at once, which takes longer than all the rest.
        self.progress.setUpdatesEnabled(False)
        self.progress.setRange(0, max(1, total))
        self.progress.setValue(queue.reviewed)
        self.progress.setFormat(self._says.progress if total else self._says.nothing)
        self.progress.setUpdatesEnabled(True)

    def _on_order(self) -> None:
        remember(self._says.key, self.order_combo.currentText())
        self.order_changed.emit()
