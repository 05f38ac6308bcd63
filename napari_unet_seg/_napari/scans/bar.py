"""Which scan of a folder is open, and the buttons to the list, the next and the previous one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QToolButton, QWidget

from napari_unet_seg._napari.scans.popup import ScanList
from napari_unet_seg._napari.widgets.keys import key_label

if TYPE_CHECKING:
    from pathlib import Path

    from qtpy.QtGui import QResizeEvent

NEXT_KEY, PREVIOUS_KEY = "G", "Shift-G"
"""In napari's notation; napari has them for none of its layers."""
_PADDING = 22
"""Pixels of a button beside its text, in napari's style."""


_LIST_TIP = "List the scans of the folder"


class ScanBar(QWidget):
    """One line, hidden until a folder is open, and the list that opens under it."""

    step_wanted = Signal(int)
    """1 to the next scan, -1 to the one before."""
    list_wanted = Signal()
    """The list is about to be shown."""
    close_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.list_button = ElidingButton()
        self.list_button.setToolTip(_LIST_TIP)
        self.previous_button = _button("◂", "Save the session and open the scan before this one")
        self.next_button = _button("▸", "Save the session and open the next scan of the list")
        for button, key in ((self.previous_button, PREVIOUS_KEY), (self.next_button, NEXT_KEY)):
            button.setToolTip(f"{button.toolTip()} (key {key_label(key)})")
        self.close_button = _button("✕", "Leave the folder; what is open stays")
        self.scans = ScanList(self)
        self._steps = (False, False)
        self._busy = False
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.previous_button)
        layout.addWidget(self.list_button, 1)
        layout.addWidget(self.next_button)
        layout.addWidget(self.close_button)
        self.previous_button.clicked.connect(lambda: self.step_wanted.emit(-1))
        self.next_button.clicked.connect(lambda: self.step_wanted.emit(1))
        self.close_button.clicked.connect(self.close_wanted)
        self.list_button.clicked.connect(self._show_list)
        self.hide()

    def show_scan(self, path: Path, rank: int, total: int) -> None:
        """Show which scan is open, and its place in the order, counted from 0."""
        self.list_button.set_text(f"Scan {rank + 1} of {total}: {path.name}")
        self.list_button.setToolTip(f"{path}\n{_LIST_TIP}")
        self.show()

    def set_steps(self, back: bool, on: bool) -> None:
        """Tell whether there is a scan before and after this one in the list."""
        self._steps = back, on
        self.set_busy(self._busy)

    def set_busy(self, busy: bool) -> None:
        """Lock the buttons while a scan or a session is being opened."""
        self._busy = busy
        back, on = self._steps
        self.previous_button.setEnabled(not busy and back)
        self.next_button.setEnabled(not busy and on)
        self.close_button.setEnabled(not busy)
        self.scans.set_busy(busy)

    def _show_list(self) -> None:
        self.list_wanted.emit()
        self.scans.show_under(self)


class ElidingButton(QPushButton):
    """A button that opens a list; a text that is too long is cut in its middle."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.full_text = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        # After a click letters still go to the viewer's keys.
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def set_text(self, text: str) -> None:
        """Show a text as far as there is room."""
        self.full_text = text
        self._elide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show more or less of the text."""
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        metrics, mark = self.fontMetrics(), "  ▾"
        room = self.width() - _PADDING - metrics.horizontalAdvance(mark)
        middle = Qt.TextElideMode.ElideMiddle
        text = metrics.elidedText(self.full_text, middle, max(room, 0))
        self.setText(text.replace("&", "&&") + mark)  # one alone would underline what follows


def _button(text: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    return button
