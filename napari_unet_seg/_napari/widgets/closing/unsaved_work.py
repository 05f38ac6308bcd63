"""The question before a window is closed over work that is in no file."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject

from napari_unet_seg._napari.widgets.closing.question import Question, Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtWidgets import QMainWindow, QWidget


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
    choices = {
        "Save…": (Role.AcceptRole, Answer.SAVE),
        "Close without saving": (Role.DestructiveRole, Answer.DISCARD),
    }
    question = Question(parent, "unet_seg_unsaved_question", "Close napari?", text)
    return question.ask(choices, keep=Answer.KEEP_OPEN, default="Save…")
