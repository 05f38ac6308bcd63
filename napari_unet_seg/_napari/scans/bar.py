"""The bar of the open scan of a folder, with buttons to the list and to the neighbour scans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QToolButton, QWidget

from napari_unet_seg._napari.scans.scan_list import ScanList
from napari_unet_seg._napari.widgets.keys import label_of

if TYPE_CHECKING:
    from pathlib import Path

    from qtpy.QtGui import QResizeEvent

_PADDING = 22
"""Width of a button without its text in napari's style, in pixels."""


_LIST_TIP = "List the scans of the folder"


class ScanBar(QWidget):
    """One line of buttons, hidden until a folder is open, and the list of scans below it."""

    step_wanted = Signal(int)
    """Emitted with 1 for the next scan, -1 for the previous scan."""
    list_wanted = Signal()
    """Emitted before the list is shown."""
    close_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.list_button = ElidingButton()
        self.list_button.setToolTip(_LIST_TIP)
        self.previous_button = _button("◂", "Save the session and open the previous scan")
        self.next_button = _button("▸", "Save the session and open the next scan")
        steps = {"previous_scan": self.previous_button, "next_scan": self.next_button}
        for name, button in steps.items():
            button.setToolTip(f"{button.toolTip()} (key {label_of(name)})")
        self.close_button = _button("✕", "Close the folder; layers and session stay open")
        self.scans = ScanList(self)
        self._neighbours = (False, False)
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

    def show_scan(self, path: Path, title: str, rank: int, total: int) -> None:
        """Show the open scan and its rank in the order, counted from 0."""
        self.list_button.set_text(f"Scan {rank + 1} of {total}: {title}")
        self.list_button.setToolTip(f"{path}\n{_LIST_TIP}")
        self.show()

    def set_neighbours(self, previous: bool, following: bool) -> None:
        """Enable the buttons to the previous and the following scan, if there are such."""
        self._neighbours = previous, following
        self.set_busy(self._busy)

    def set_busy(self, busy: bool) -> None:
        """Disable the buttons while a scan or a session is being opened."""
        self._busy = busy
        previous, following = self._neighbours
        self.previous_button.setEnabled(not busy and previous)
        self.next_button.setEnabled(not busy and following)
        self.close_button.setEnabled(not busy)
        self.scans.set_busy(busy)

    def _show_list(self) -> None:
        self.list_wanted.emit()
        self.scans.show_under(self)


class ElidingButton(QPushButton):
    """A button that opens a list; a long text is elided in its middle."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.full_text = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        # After a click letters still go to the viewer's keys.
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def set_text(self, text: str) -> None:
        """Show a text, elided if it is too wide."""
        self.full_text = text
        self._elide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Elide the text for the new width."""
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        metrics, mark = self.fontMetrics(), "  ▾"
        room = self.width() - _PADDING - metrics.horizontalAdvance(mark)
        middle = Qt.TextElideMode.ElideMiddle
        text = metrics.elidedText(self.full_text, middle, max(room, 0))
        self.setText(text.replace("&", "&&") + mark)  # a single & would underline the next letter


def _button(text: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    return button
