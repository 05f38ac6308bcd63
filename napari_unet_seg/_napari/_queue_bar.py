"""Progress over the slices of a session, their order, and which of them are listed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import QComboBox, QGridLayout, QProgressBar, QWidget

from napari_unet_seg._napari._settings import recall, remember
from napari_unet_seg.review_queue import Order, Queue, ReviewState

if TYPE_CHECKING:
    from collections.abc import Sequence

_KEY = "review/order"
_STATES = (None, *ReviewState)
_ORDER_TIP = (
    "Worst first: by predicted Dice, how well the network thinks its mask fits; slices without a "
    "figure come last"
)
_NO_FIGURES = (
    "No slice of this session has a predicted Dice, so that worst first is the same as in order"
)


class QueueBar(QWidget):
    """Shows how far the review is; chooses the order and the state that is listed."""

    order_changed = Signal()
    filter_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.progress = QProgressBar()
        self.progress.setToolTip("Slices accepted, corrected or skipped, of all")
        self.filter_combo = QComboBox()
        self.filter_combo.setToolTip("Which slices are listed; next and previous go to these")
        for state in _STATES:
            self.filter_combo.addItem("", state)
        self.order_combo = QComboBox()
        for order in Order:
            self.order_combo.addItem(str(order).capitalize(), order)
        self.order_combo.setCurrentIndex(max(0, self.order_combo.findText(recall(_KEY, ""))))
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
        """List all slices, without a signal."""
        blocker = QSignalBlocker(self.filter_combo)
        self.filter_combo.setCurrentIndex(0)
        blocker.unblock()

    def show_figures(self, figures: Sequence[float | None]) -> None:
        """Say what an order by these figures is worth."""
        known = any(figure is not None for figure in figures)
        self.order_combo.setToolTip(_ORDER_TIP if known or not figures else _NO_FIGURES)

    def show_queue(self, queue: Queue) -> None:
        """Show how many slices there are in each state."""
        total = len(queue.states)
        counts = queue.counts
        for row, state in enumerate(_STATES):
            name = state.capitalize() if state else "All"
            self.filter_combo.setItemText(row, f"{name} ({counts[state] if state else total})")
        # Else it would draw the window at once, which takes longer than all the rest.
        self.progress.setUpdatesEnabled(False)
        self.progress.setRange(0, max(1, total))
        self.progress.setValue(queue.reviewed)
        self.progress.setFormat("%v / %m reviewed" if total else "no session")
        self.progress.setUpdatesEnabled(True)

    def _on_order(self) -> None:
        remember(_KEY, self.order_combo.currentText())
        self.order_changed.emit()
