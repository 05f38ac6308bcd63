"""The dialog that asks where a file is saved, under a name with the suffix of the chosen type."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFileDialog

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget


class SaveDialog(QFileDialog):
    """A file dialog for saving.

    Qt completes only names without a dot, and takes `.gz` for the suffix of `.nii.gz`. Here the
    name is completed before Qt asks whether an existing file is replaced.

    Parameters
    ----------
    parent : QWidget
        The widget that saves.
    title : str
        Title of the dialog.
    proposed : str
        Path to propose, with the suffix of the first type.
    kinds : str
        Types of files, as Qt takes them: `TIFF (*.tif *.tiff);;NIfTI (*.nii.gz *.nii)`; the first
        suffix of a type is the one that is appended. A type `(*)` is a name without suffix.
    """

    def __init__(self, parent: QWidget | None, title: str, proposed: str, kinds: str) -> None:
        super().__init__(parent, title, str(Path(proposed).parent))
        self._proposed, self._kinds = proposed, kinds
        # The dialogs of desktops check the name before it can be completed.
        self.setOption(QFileDialog.Option.DontUseNativeDialog)
        self.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        self.setNameFilters(kinds.split(";;"))
        self.selectFile(proposed)

    @classmethod
    def ask(cls, parent: QWidget | None, title: str, proposed: str, kinds: str) -> tuple[str, str]:
        """Return the path and the type that the user chooses; empty if the dialog is cancelled."""
        dialog = cls(parent, title, proposed, kinds)
        chosen = dialog.exec() == QFileDialog.DialogCode.Accepted
        path, kind = dialog.selectedFiles()[:1], dialog.selectedNameFilter()
        dialog.deleteLater()
        return (path[0], kind) if chosen and path else ("", "")

    def accept(self) -> None:
        """Complete the name, and close if no other file is in the way."""
        for path in self.selectedFiles()[:1]:
            named = complete(path, self.selectedNameFilter(), self._proposed, self._kinds)
            if named != path and not Path(path).is_dir():
                self.selectFile(named)
        super().accept()


def complete(path: str, kind: str, proposed: str, kinds: str) -> str:
    """Return a path with the suffix of its type.

    A suffix of another type stays if it was typed: `mask.nii.gz` is a NIfTI whatever type is
    chosen.

    Parameters
    ----------
    path : str
        The path that was chosen.
    kind : str
        The type that was chosen, one of `kinds`.
    proposed, kinds
        As for `SaveDialog`.
    """
    wanted, known = _suffixes(kind), _suffixes(kinds)
    own = _end(path, known)
    if not wanted:
        return path.removesuffix(own)
    if own and (_end(path, wanted) or own != _end(proposed, known)):
        return path
    # What Qt leaves where it replaces the last part of a suffix by that of the type: `mask.gz`.
    part = "." + wanted[0].rpartition(".")[2]
    return path.removesuffix(own or _end(path, [part])) + wanted[0]


def _suffixes(kinds: str) -> list[str]:
    return re.findall(r"\*(\.[\w.]+)", kinds)


def _end(path: str, suffixes: list[str]) -> str:
    """Return the end of a path that is one of the suffixes in any case, the longest; or empty."""
    found = max((s for s in suffixes if path.lower().endswith(s)), key=len, default="")
    return path[len(path) - len(found) :]
