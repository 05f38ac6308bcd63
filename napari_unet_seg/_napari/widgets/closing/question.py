"""The question before something is closed, which Esc and *Keep open* leave open."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from qtpy.QtWidgets import QMessageBox, QWidget

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")
Role = QMessageBox.ButtonRole


class Question:
    """A question on what is to be closed.

    Parameters
    ----------
    parent : QWidget
        The window over which it is asked.
    name : str
        Object name of the dialog.
    title, text, details : str
        What is asked; without details there is a text only.
    """

    def __init__(
        self, parent: QWidget, name: str, title: str, text: str, details: str = ""
    ) -> None:
        self._box = QMessageBox(parent)
        self._box.setObjectName(name)
        self._box.setIcon(QMessageBox.Icon.Question)
        self._box.setWindowTitle(title)
        self._box.setText(text)
        self._box.setInformativeText(details)

    def ask(
        self, choices: Mapping[str, tuple[QMessageBox.ButtonRole, T]], keep: T, default: str = ""
    ) -> T:
        """Show the question once, and return the answer.

        Parameters
        ----------
        choices : mapping of str to tuple
            Role and answer of each button, by its text.
        keep : object
            The answer of *Keep open* and of Esc.
        default : str
            Text of the button that Enter presses; empty for *Keep open*.
        """
        buttons = {text: self._box.addButton(text, role) for text, (role, _) in choices.items()}
        stay = self._box.addButton("Keep open", Role.RejectRole)
        self._box.setDefaultButton(buttons.get(default, stay))
        self._box.setEscapeButton(stay)
        self._box.exec()
        pressed = self._box.clickedButton()
        self._box.deleteLater()
        return next((choices[text][1] for text in buttons if buttons[text] is pressed), keep)
