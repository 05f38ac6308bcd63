"""The row of the form for rough marks: which are drawn, and boxes that are there already."""

from __future__ import annotations

from typing import NamedTuple

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGridLayout, QLabel, QPushButton, QWidget

from napari_unet_seg._napari.widgets.keys import key_label


class Mark(NamedTuple):
    """A kind of mark that is drawn while its button is down."""

    text: str
    key: str
    """In napari's notation; free in its viewer, images, labels and shapes."""
    tip: str


MARKS = {
    "box": Mark("Draw box", "W", "Drag a box around it on the slice; it becomes its outline"),
    "border": Mark("Redraw border", "U", "Drag along the true border; that of the mask follows"),
    "inside": Mark("Mark inside", "K", "Stroke over what belongs to it; the border follows"),
    "outside": Mark("Mark outside", "J", "Stroke over what does not belong; the border follows"),
}


class MarkBar(QWidget):
    """A button for each kind of mark, of which one at most is down."""

    chosen = Signal(str)
    """The kind of mark to draw from now on, empty for none."""
    outlines_wanted = Signal()
    """What is there of the category is to be taken for boxes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.buttons = {name: _toggle(mark) for name, mark in MARKS.items()}
        self.outline_button = QPushButton("Boxes → outlines")
        self.outline_button.setToolTip(
            "Take each of its parts for a box, as imported ones are, and draw the outline of what "
            "is in it; of the slice, or of all (Ctrl+Z takes it back)"
        )
        for name in MARKS:
            self.buttons[name].clicked.connect(lambda _, name=name: self._on_clicked(name))
        self.outline_button.clicked.connect(lambda: self.outlines_wanted.emit())
        self._lay_out()

    def show_mark(self, name: str) -> None:
        """Show which marks are drawn."""
        for other, button in self.buttons.items():
            button.setChecked(other == name)

    def _on_clicked(self, name: str) -> None:
        self.chosen.emit(name if self.buttons[name].isChecked() else "")

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(4)
        grid.addWidget(QLabel("By marks"), 0, 0)
        grid.addWidget(self.buttons["box"], 0, 1)
        grid.addWidget(self.outline_button, 0, 2)
        grid.addWidget(self.buttons["inside"], 1, 1)
        grid.addWidget(self.buttons["outside"], 1, 2)
        grid.addWidget(self.buttons["border"], 2, 1, 1, 2)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(2, 1)


def _toggle(mark: Mark) -> QPushButton:
    button = QPushButton(f"{mark.text}  [{key_label(mark.key)}]")
    button.setCheckable(True)
    button.setToolTip(
        f"{mark.tip} (key {key_label(mark.key)}; Escape ends it, Ctrl+Z takes the last one back)"
    )
    return button
