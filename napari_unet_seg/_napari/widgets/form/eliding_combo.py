"""A combo box that shows its text whole, or shortened in the middle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import (
    QComboBox,
    QSizePolicy,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QToolTip,
    QWidget,
)

if TYPE_CHECKING:
    from qtpy.QtGui import QPaintEvent

_MIN_WIDTH = 120
_MARGIN = 4
"""Pixels of the text's field that styles leave free."""


class ElidingCombo(QComboBox):
    """Shortens a text that is too wide in its middle, since names differ at their ends.

    The tooltip begins with the whole text then.

    Parameters
    ----------
    empty_text : str
        What is shown without an entry.
    """

    def __init__(self, parent: QWidget | None = None, empty_text: str = "") -> None:
        super().__init__(parent)
        self.empty_text = empty_text
        self._is_held = False
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(_MIN_WIDTH)

    @property
    def is_held(self) -> bool:
        """Whether the choice is fixed for now."""
        return self._is_held

    def setHeld(self, held: bool) -> None:
        """Fix the choice for now; its text stays as readable as that of an enabled box."""
        self._is_held = held
        self.setEnabled(not held)

    def full_text(self) -> str:
        """The text of the chosen entry."""
        return self.currentText() or self.empty_text

    def shown_text(self) -> str:
        """The text as it fits."""
        return self.elided(self.full_text())

    def elided(self, text: str) -> str:
        """Return a text as it fits into the box."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        field = self.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox,
            option,
            QStyle.SubControl.SC_ComboBoxEditField,
            self,
        )
        room = max(field.width() - _MARGIN, 0)
        middle = Qt.TextElideMode.ElideMiddle
        return self.fontMetrics().elidedText(text, middle, room)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw the box with the text as it fits."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        painter = QStylePainter(self)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        option.currentText = self.shown_text()
        if self._is_held:
            option.state |= QStyle.StateFlag.State_Enabled
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def event(self, event: Any) -> bool:
        """Begin the tooltip with a text that did not fit."""
        if event.type() == QEvent.Type.ToolTip and self.shown_text() != self.full_text():
            QToolTip.showText(event.globalPos(), f"{self.full_text()}\n{self.toolTip()}", self)
            return True
        return bool(super().event(event))
