"""The question what to do with a file that another program has changed in the meantime."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from qtpy.QtWidgets import QMessageBox, QWidget

from napari_unet_seg.errors import ChangedError, ConflictError
from napari_unet_seg.io.disk.files import split_suffix
from napari_unet_seg.io.disk.seen import saw

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_unet_seg.io.coco.merge.keys import Keep

_TITLE = "Changed by another program"
_SHOWN = 8
"""Number of conflicts that are listed."""


class Answer(NamedTuple):
    """Where to write, and which version stays where both differ."""

    path: Path
    keep: Keep | None = None


class SessionChangedDialog(QMessageBox):
    """Asks which version of a file of the open session stays.

    Parameters
    ----------
    error : ChangedError
        The file.
    what : str
        What the file holds, to begin a sentence.
    parent : QWidget
        The window below the dialog.
    """

    def __init__(self, error: ChangedError, what: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setIcon(QMessageBox.Icon.Warning)
        self.setWindowTitle(_TITLE)
        self.path = error.path
        self.setText(
            f"{what} was changed here and by another program. Which version do you want to keep?"
        )
        self.setInformativeText(str(error.path))
        role = QMessageBox.ButtonRole
        self.mine = self.addButton("Keep mine", role.AcceptRole)
        self.theirs = self.addButton("Keep the other program's", role.AcceptRole)
        self.later = self.addButton("Not now", role.RejectRole)
        self.setDefaultButton(self.later)
        self.setEscapeButton(self.later)

    def value(self) -> Keep | None:
        """Return the version to keep, None for neither yet."""
        if self.clickedButton() is self.mine:
            return "mine"
        return "theirs" if self.clickedButton() is self.theirs else None


class ChangedDialog(QMessageBox):
    """Asks which version of a file stays, or whether to write another file.

    Parameters
    ----------
    error : ChangedError
        The file, and what of it was changed on both sides if that is known.
    path : Path
        The file or folder that was to be written.
    parent : QWidget
        The window below the dialog.
    """

    def __init__(self, error: ChangedError, path: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setIcon(QMessageBox.Icon.Warning)
        self.setWindowTitle(_TITLE)
        self._path, self._changed = path, error.path
        self._free = free_name(path)
        role = QMessageBox.ButtonRole
        self.mine = self.theirs = None
        if isinstance(error, ConflictError):
            self.setText(
                f"{path.name} was changed by another program, and these annotations were changed "
                "here too. Which version do you want to keep?"
            )
            self.setInformativeText(_listed(error.parts))
            self.mine = self.addButton("Keep mine", role.AcceptRole)
            self.theirs = self.addButton("Keep the other program's", role.AcceptRole)
        else:
            self.setText(f"{error.path.name} was changed by another program.")
            self.setInformativeText(
                "It has changed since it was read or saved here. If you overwrite it, the present "
                "file is kept with .bak in its name."
            )
            self.mine = self.addButton("Overwrite", role.DestructiveRole)
        self.other_name = self.addButton(f"Save as {self._free.name}", role.AcceptRole)
        self.cancel = self.addButton(QMessageBox.StandardButton.Cancel)
        self.setDefaultButton(self.other_name)

    def value(self) -> Answer | None:
        """Return the answer; None after Cancel."""
        clicked = self.clickedButton()
        if clicked is self.other_name:
            return Answer(self._free, "mine")
        if clicked is self.mine:
            saw(self._changed)
            return Answer(self._path, "mine")
        if self.theirs is not None and clicked is self.theirs:
            return Answer(self._path, "theirs")
        return None


def ask_until_written(
    write: Callable[[Path, Keep | None], None], path: Path, parent: QWidget | None = None
) -> Path:
    """Write a file, and ask as long as another program has changed what it would replace.

    Returns
    -------
    Path
        The file that was written.

    Raises
    ------
    ChangedError
        After Cancel.
    """
    answer = Answer(path)
    while True:
        try:
            write(*answer)
        except ChangedError as error:
            dialog = ChangedDialog(error, answer.path, parent)
            dialog.exec()
            chosen = dialog.value()
            dialog.deleteLater()
            if chosen is None:
                raise
            answer = chosen
        else:
            return answer.path


def free_name(path: Path) -> Path:
    """Return a name of no file yet, `set-2.json` for `set.json`."""
    stem, suffix = split_suffix(path)
    names = (path.with_name(f"{stem}-{number}{suffix}") for number in count(2))
    return next(name for name in names if not name.exists())


def _listed(parts: tuple[str, ...]) -> str:
    more = [f"and {len(parts) - _SHOWN} more"] if len(parts) > _SHOWN else []
    return "\n".join((*(f"• {part}" for part in parts[:_SHOWN]), *more))
