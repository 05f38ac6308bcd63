"""The question before a window is closed over work that is in no file."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QMessageBox, QWidget

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtWidgets import QMainWindow


class Answer(Enum):
    """What is to become of unsaved work."""

    SAVE = "save"
    DISCARD = "discard"
    KEEP_OPEN = "keep open"


class UnsavedWork(QObject):
    """What a widget would lose with its window; the window asks for it before it closes.

    Parameters
    ----------
    owner : QWidget
        The widget.
    lost : callable
        Returns a sentence on what would be lost now, empty if nothing would.
    save : callable
        Leads the user to where it is saved; the window stays open.
    """

    def __init__(self, owner: QWidget, lost: Callable[[], str], save: Callable[[], None]) -> None:
        super().__init__(owner)
        self.lost, self.save = lost, save


def may_close(window: QMainWindow) -> bool:
    """Ask about the work of a window that would be lost; return whether it may be."""
    for work in window.findChildren(UnsavedWork):
        if text := work.lost():
            answer = ask_about_work(text, window)
            if answer is Answer.SAVE:
                work.save()
            if answer is not Answer.DISCARD:
                return False
    return True


def ask_about_work(text: str, parent: QWidget) -> Answer:
    """Ask what is to become of unsaved work."""
    box = QMessageBox(parent)
    box.setObjectName("unet_seg_unsaved_question")
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Close napari?")
    box.setText(text)
    save = box.addButton("Save…", QMessageBox.ButtonRole.AcceptRole)
    discard = box.addButton("Close without saving", QMessageBox.ButtonRole.DestructiveRole)
    keep = box.addButton("Keep open", QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(save)
    box.setEscapeButton(keep)
    box.exec()
    answers = {save: Answer.SAVE, discard: Answer.DISCARD}
    answer = answers.get(box.clickedButton(), Answer.KEEP_OPEN)
    box.deleteLater()
    return answer
