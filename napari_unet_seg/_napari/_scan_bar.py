"""Which scan of a folder is open, and the buttons to the next and the previous one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget
from superqt import QElidingLabel

if TYPE_CHECKING:
    from pathlib import Path


class ScanBar(QWidget):
    """One line, hidden until a folder is open."""

    step_wanted = Signal(int)
    """1 to the next scan, -1 to the one before."""
    close_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.label = QElidingLabel()
        self.label.setElideMode(Qt.TextElideMode.ElideMiddle)
        self.label.setEllipsesWidth(14)  # napari pads its labels
        self.label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.previous_button = _button("◂", "Save the session and open the scan before this one")
        self.next_button = _button("▸", "Save the session and open the next scan of the folder")
        self.close_button = _button("✕", "Leave the folder; what is open stays")
        self._at, self._total = 0, 0
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.previous_button)
        layout.addWidget(self.label, 1)
        layout.addWidget(self.next_button)
        layout.addWidget(self.close_button)
        self.previous_button.clicked.connect(lambda: self.step_wanted.emit(-1))
        self.next_button.clicked.connect(lambda: self.step_wanted.emit(1))
        self.close_button.clicked.connect(self.close_wanted)
        self.hide()

    def show_scan(self, path: Path, at: int, total: int) -> None:
        """Show which scan of how many it is, counted from 0."""
        self._at, self._total = at, total
        self.label.setText(f"Scan {at + 1} of {total}: {path.name}")
        self.label.setToolTip(str(path))
        self.show()

    def set_busy(self, busy: bool) -> None:
        """Lock the buttons while a scan or a session is being opened."""
        self.previous_button.setEnabled(not busy and self._at > 0)
        self.next_button.setEnabled(not busy and self._at + 1 < self._total)
        self.close_button.setEnabled(not busy)


def _button(text: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    return button
