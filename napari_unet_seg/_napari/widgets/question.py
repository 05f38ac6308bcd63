"""A question with two answers, of which the one that changes nothing is the default."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMessageBox

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtWidgets import QWidget


def ask(
    parent: QWidget,
    title: str,
    text: str,
    more: str,
    *,
    yes: str,
    no: str,
    answer: Callable[[bool], None],
) -> QMessageBox:
    """Ask without blocking.

    Parameters
    ----------
    parent : QWidget
        The widget that the question belongs to.
    title, text, more : str
        The question, the reason for it, and what else to know.
    yes, no : str
        Texts of the buttons. Escape is the answer no.
    answer : callable
        Called with whether the answer is yes.
    """
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle(title)
    box.setText(text)
    box.setInformativeText(more)
    accept = box.addButton(yes, QMessageBox.ButtonRole.AcceptRole)
    refuse = box.addButton(no, QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(refuse)
    box.setEscapeButton(refuse)
    box.finished.connect(lambda _: answer(box.clickedButton() is accept))
    box.open()
    return box
