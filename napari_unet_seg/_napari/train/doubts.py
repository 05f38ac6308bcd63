"""The question whether masks are meant that look as if they were not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMessageBox, QWidget

if TYPE_CHECKING:
    from collections.abc import Callable


def ask(parent: QWidget, doubts: str, *, on_yes: Callable[[], None]) -> None:
    """Ask whether to train all the same, without blocking.

    Parameters
    ----------
    parent : QWidget
        The widget that the question belongs to.
    doubts : str
        Why the masks can hardly be meant.
    on_yes : callable
        Called if the user confirms the masks.
    """
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowTitle("Train on these masks?")
    box.setIcon(QMessageBox.Icon.Question)
    box.setText(doubts)
    box.setInformativeText("Nothing has been trained yet. Are the masks as they are meant?")
    train = box.addButton("Train all the same", QMessageBox.ButtonRole.AcceptRole)
    cancel = box.addButton("Do not train", QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(cancel)
    box.setEscapeButton(cancel)
    train.clicked.connect(lambda: on_yes())
    box.open()
