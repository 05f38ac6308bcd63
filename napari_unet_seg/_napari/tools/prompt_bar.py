"""The buttons of the form for prompts: boxes, scribbles and border lines."""

from __future__ import annotations

from typing import NamedTuple

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGridLayout, QLabel, QPushButton, QWidget

from napari_unet_seg._napari.widgets.keys import label_of


class Prompt(NamedTuple):
    """A kind of prompt that can be drawn while its button is down."""

    text: str
    tip: str


PROMPTS = {
    "box": Prompt("Draw box", "Drag a box around an object to outline it"),
    "border": Prompt("Redraw border", "Drag along the true border; the mask follows"),
    "inside": Prompt("Mark inside", "Scribble inside the object; the border follows"),
    "outside": Prompt("Mark outside", "Scribble outside the object; the border follows"),
}
"""The kinds of prompt by name, of which `KEYS` has the key."""


class PromptBar(QWidget):
    """A button for each kind of prompt, of which at most one is down."""

    chosen = Signal(str)
    """Emitted with the kind of prompt to draw next, empty for none."""
    outlines_wanted = Signal()
    """Emitted to outline the boxes that the category has in the mask."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.buttons = {name: _toggle(name, prompt) for name, prompt in PROMPTS.items()}
        self.outline_button = QPushButton("Boxes → outlines")
        self.outline_button.setToolTip(
            "Replace each box of the category, imported boxes for example, by the outline of the "
            "object in it; on this slice or on all slices (undo with Ctrl+Z)"
        )
        for name in PROMPTS:
            self.buttons[name].clicked.connect(lambda _, name=name: self._on_clicked(name))
        self.outline_button.clicked.connect(lambda: self.outlines_wanted.emit())
        self._lay_out()

    def show_prompt(self, name: str) -> None:
        """Show which kind of prompt is drawn; empty for none."""
        for other, button in self.buttons.items():
            button.setChecked(other == name)

    def _on_clicked(self, name: str) -> None:
        self.chosen.emit(name if self.buttons[name].isChecked() else "")

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(4)
        grid.addWidget(QLabel("Prompts"), 0, 0)
        grid.addWidget(self.buttons["box"], 0, 1)
        grid.addWidget(self.outline_button, 0, 2)
        grid.addWidget(self.buttons["inside"], 1, 1)
        grid.addWidget(self.buttons["outside"], 1, 2)
        grid.addWidget(self.buttons["border"], 2, 1, 1, 2)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(2, 1)


def _toggle(name: str, prompt: Prompt) -> QPushButton:
    key = label_of(name)
    button = QPushButton(f"{prompt.text}  [{key}]")
    button.setCheckable(True)
    button.setToolTip(f"{prompt.tip} (key {key}; Escape stops drawing, Ctrl+Z undoes the last)")
    return button
