"""The question before a mask replaces a file that it was not saved to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMessageBox, QWidget

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def ask_to_replace(parent: QWidget, path: Path, *, on_yes: Callable[[], None]) -> QMessageBox:
    """Ask whether a file is to be replaced, without blocking.

    Parameters
    ----------
    parent : QWidget
        The widget that the question belongs to.
    path : Path
        The file or folder that exists.
    on_yes : callable
        Called if the user replaces the file.
    """
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowTitle("Replace a file?")
    box.setIcon(QMessageBox.Icon.Question)
    box.setText(f"{path.name} exists, and this mask was not saved to it before.")
    box.setInformativeText(f"It is in {path.parent}.")
    replace = box.addButton("Replace", QMessageBox.ButtonRole.DestructiveRole)
    cancel = box.addButton("Cancel", QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(cancel)
    box.setEscapeButton(cancel)
    replace.clicked.connect(lambda: on_yes())
    box.open()
    return box
