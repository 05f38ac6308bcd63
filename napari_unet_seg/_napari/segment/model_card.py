"""The dialog that shows a model card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtGui import QTextDocument, QTextTable
from qtpy.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget


class ModelCard(QDialog):
    """Shows the purpose, training data, scores and known failures of a model.

    Parameters
    ----------
    text : str
        The model card as Markdown, from `card_text`.
    """

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Model card")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.text = QTextBrowser()
        self.text.setOpenExternalLinks(True)
        self.text.setMarkdown(text)
        widen_tables(self.text.document())
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.addWidget(self.text)
        layout.addWidget(buttons)
        self.resize(640, 720)


def widen_tables(document: QTextDocument) -> None:
    """Add padding to the cells of tables, for which Markdown has no syntax."""
    for frame in document.rootFrame().childFrames():
        if isinstance(frame, QTextTable):
            form = frame.format()
            form.setCellPadding(4)
            form.setCellSpacing(0)
            form.setBorder(0)
            frame.setFormat(form)
