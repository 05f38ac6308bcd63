"""The steps of the loop as a row of buttons, the next one highlighted."""

from __future__ import annotations

from enum import Enum

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget


class Step(Enum):
    """A step of the loop."""

    OPEN = "Open"
    SEGMENT = "Segment"
    CORRECT = "Correct"
    SAVE = "Save"


_TIPS = {
    Step.OPEN: "Open scans, a folder of scans, or a session",
    Step.SEGMENT: "Let a network draw the mask",
    Step.CORRECT: "Correct the mask, accept its slices, and let the network learn from them",
    Step.SAVE: "Save the mask next to its scan",
}
_NEXT = "font-weight: bold; border: 2px solid #3f7ff0; border-radius: 4px; padding: 3px"
"""A blue with enough contrast to napari's dark and light buttons."""
_OTHER = "border: 2px solid transparent; border-radius: 4px; padding: 3px"


def next_step(*, image: bool, mask: bool, unsaved: bool, saved: bool) -> Step:
    """Return the step that follows from what is there.

    Parameters
    ----------
    image, mask : bool
        Whether there are an image and a mask.
    unsaved : bool
        Whether the mask has corrections that are in no file.
    saved : bool
        Whether the mask is in a file, and was not changed since.
    """
    if not image or saved:
        return Step.OPEN
    if not mask:
        return Step.SEGMENT
    return Step.SAVE if unsaved else Step.CORRECT


class StepBar(QWidget):
    """A button for each step; the step whose page is shown is pressed."""

    wanted = Signal(object)
    """Emitted with the step whose button was clicked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.next: Step | None = None
        """The step that is highlighted."""
        self.buttons = {step: _button(step) for step in Step}
        group = QButtonGroup(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for step, button in self.buttons.items():
            if step is not Step.OPEN:
                layout.addWidget(QLabel("›"))
            layout.addWidget(button, 1)
            group.addButton(button)
            button.clicked.connect(lambda _, step=step: self.wanted.emit(step))

    def show_step(self, step: Step) -> None:
        """Show the button of a step as pressed."""
        self.buttons[step].setChecked(True)

    def show_next(self, following: Step) -> None:
        """Highlight the step that comes next."""
        if following is self.next:
            return
        self.next = following
        for step, button in self.buttons.items():
            button.setStyleSheet(_NEXT if step is following else _OTHER)
            tip = _TIPS[step]
            button.setToolTip(f"{tip}; this comes next" if step is following else tip)


def _button(step: Step) -> QPushButton:
    button = QPushButton(step.value)
    button.setCheckable(True)
    button.setToolTip(_TIPS[step])
    button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return button
