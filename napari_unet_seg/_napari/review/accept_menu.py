"""The menu that accepts many slices at once, and takes that back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QWidget,
    QWidgetAction,
)

from napari_unet_seg._napari.widgets.settings import recall, remember

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_unet_seg._napari.session.many_decisions import ManyDecisions

_KEY = "review/accept_from"


class AcceptMenu(QMenu):
    """Lists ways to accept many slices, each with the number of slices that it takes.

    Parameters
    ----------
    selected : callable
        Returns the selected slices.
    """

    accept_wanted = Signal(object)
    """Emitted with the slices to accept."""
    take_back_wanted = Signal()

    def __init__(self, selected: Callable[[], list[int]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selected = selected
        self._many: ManyDecisions | None = None
        self.setToolTipsVisible(True)
        self.selection = self.addAction("")
        self.selection.setToolTip("Ctrl or Shift and a click in the list selects several slices")
        self.empty = self.addAction("")
        self.empty.setToolTip(
            "Slices to do in which nothing was found; slices that were not segmented yet stay to do"
        )
        self.dice = _DiceRow(self._predicted_from)
        action = QWidgetAction(self)
        action.setDefaultWidget(self.dice)
        self.addAction(action)
        self.addSeparator()
        self.back = self.addAction("")
        self.back.setToolTip("Restore the states before; masks do not change (Ctrl+Z at once)")
        self.selection.triggered.connect(lambda: self._accept(self._of_selection()))
        self.empty.triggered.connect(lambda: self._accept(self._of_empty()))
        self.dice.wanted.connect(self._on_dice)
        self.back.triggered.connect(self.take_back_wanted)
        self.aboutToShow.connect(self.refresh)

    def show_session(self, many: ManyDecisions | None) -> None:
        """Offer the slices of a session; None for no session."""
        self._many = many

    def refresh(self) -> None:
        """Count the slices that each entry would take."""
        if self._many is None:
            return
        counts = (
            (self.selection, "Accept selected slices", self._of_selection()),
            (self.empty, "Accept all empty slices", self._of_empty()),
            (self.back, "Take back what was accepted at once", self._many.to_take_back),
        )
        for action, text, slices in counts:
            action.setText(f"{text} ({len(slices)})")
            action.setEnabled(bool(slices))
        self.dice.refresh()

    def _of_selection(self) -> list[int]:
        return self._many.acceptable(self._selected()) if self._many else []

    def _of_empty(self) -> list[int]:
        return self._many.empty() if self._many else []

    def _predicted_from(self, dice: float) -> list[int]:
        return self._many.predicted_from(dice) if self._many else []

    def _accept(self, slices: Sequence[int]) -> None:
        if slices:
            self.accept_wanted.emit(slices)

    def _on_dice(self, slices: Sequence[int]) -> None:
        self.close()
        self._accept(slices)


class _DiceRow(QWidget):
    """A field for a predicted Dice, and a button that takes the slices with at least that much."""

    wanted = Signal(object)

    def __init__(self, find: Callable[[float], list[int]]) -> None:
        super().__init__()
        self._find = find
        self.limit = QDoubleSpinBox()
        self.limit.setRange(0, 1)
        self.limit.setSingleStep(0.01)
        self.limit.setValue(float(recall(_KEY, 0.9)))
        self.limit.setToolTip("The lowest predicted Dice of the slices to accept")
        self.button = QPushButton()
        self.button.setToolTip("Accept the slices to do with at least this predicted Dice")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 2, 8, 2)
        layout.addWidget(QLabel("Predicted Dice from"))
        layout.addWidget(self.limit)
        layout.addWidget(self.button, 1)
        self.limit.valueChanged.connect(self._on_limit)
        self.button.clicked.connect(lambda: self.wanted.emit(self._slices()))

    def refresh(self) -> None:
        """Count the slices."""
        slices = self._slices()
        self.button.setText(f"Accept ({len(slices)})")
        self.button.setEnabled(bool(slices))

    def _slices(self) -> list[int]:
        return self._find(round(self.limit.value(), 2))

    def _on_limit(self, value: float) -> None:
        remember(_KEY, round(value, 2))
        self.refresh()
