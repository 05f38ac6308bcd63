"""A line for a file or folder, with a button that browses."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QToolButton, QWidget

Kind = Literal["file", "folder"]


class PathEdit(QWidget):
    """An editor of a path; None stands for an empty line.

    Parameters
    ----------
    kind
        Whether a file or a folder is chosen.
    title
        Title of the file dialog.
    pattern
        Filter of the file dialog, `"COCO (*.json)"` for example.
    tip
        Tooltip of the line.
    """

    valueChanged = Signal(object)
    """The new path or None, after it is entered or chosen."""

    def __init__(
        self,
        kind: Kind,
        title: str,
        pattern: str = "",
        parent: QWidget | None = None,
        *,
        tip: str = "",
    ) -> None:
        super().__init__(parent)
        self._kind, self._title, self._pattern = kind, title, pattern
        self._last: Path | None = None
        self.start: Path | None = None
        """Folder in which the file dialog opens while the line is empty."""
        self.line = QLineEdit()
        self.line.setToolTip(tip)
        self.button = QToolButton()
        self.button.setText("…")
        self.button.setToolTip(title)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.line, 1)
        layout.addWidget(self.button)
        self.setFocusProxy(self.line)
        self.line.editingFinished.connect(self._on_edited)
        self.button.clicked.connect(self.browse)

    def value(self) -> Path | None:
        """The path in the line."""
        text = self.line.text().strip()
        return Path(text).expanduser() if text else None

    def setValue(self, path: Path | str | None) -> None:
        """Show a path."""
        self.line.setText("" if path is None else str(path))
        self._on_edited()

    def setPlaceholder(self, text: str) -> None:
        """Show a text while the line is empty: the default for example."""
        self.line.setPlaceholderText(text)

    def browse(self) -> None:
        """Open the file dialog and take the path that the user chooses."""
        start = str(self.value() or self.start or "")
        if self._kind == "folder":
            chosen = QFileDialog.getExistingDirectory(self, self._title, start)
        else:
            chosen, _ = QFileDialog.getOpenFileName(self, self._title, start, self._pattern)
        if chosen:
            self.setValue(chosen)

    def _on_edited(self) -> None:
        path = self.value()
        if path != self._last:
            self._last = path
            self.valueChanged.emit(path)
