"""A model's card in a window of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtGui import QTextDocument, QTextTable
from qtpy.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget


class ModelCard(QDialog):
    """What a model is for, what it was trained on, how good it is, and where it fails.

    Parameters
    ----------
    text : str
        Markdown, of `card_text`.
    """

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Model card")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.text = QTextBrowser()
        self.text.setOpenExternalLinks(True)
        self.text.setMarkdown(text)
        _widen_tables(self.text.document())
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.addWidget(self.text)
        layout.addWidget(buttons)
        self.resize(640, 720)


def _widen_tables(document: QTextDocument) -> None:
    """Give the cells room; Markdown has no word for that."""
    for frame in document.rootFrame().childFrames():
        if isinstance(frame, QTextTable):
            form = frame.format()
            form.setCellPadding(4)
            form.setCellSpacing(0)
            form.setBorder(0)
            frame.setFormat(form)
