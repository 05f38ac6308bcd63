"""The dialog with the keys and the manual."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, QUrl
from qtpy.QtGui import QColor, QImage, QPalette, QTextDocument
from qtpy.QtWidgets import QDialog, QHBoxLayout, QPushButton, QTextBrowser, QVBoxLayout

from napari_unet_seg._napari.segment.model_card import widen_tables
from napari_unet_seg._napari.widgets.key_table import keys_as_markdown

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget


_PICTURE = getattr(
    QTextDocument.ResourceType.ImageResource, "value", QTextDocument.ResourceType.ImageResource
)
"""An int on Qt 5, an enum on Qt 6; Qt itself gives an int."""
_LINK = "#3f7ff0"
"""A blue with enough contrast to napari's dark and light theme."""
_MARGIN = 12
"""Pixels between the edges of the view and its text."""


class HelpDialog(QDialog):
    """Shows the keys at first, and the pages of the manual on request."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Help on U-Net Seg")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.text = _PageBrowser()
        self.text.setOpenExternalLinks(True)
        palette = self.text.palette()
        palette.setColor(QPalette.ColorRole.Link, QColor(_LINK))
        self.text.setPalette(palette)
        self.keys_button = _button("Keys", "List the keys")
        self.manual_button = _button("Manual", "Show the first page of the manual")
        self.back_button = _button("Back", "Go back to the page before")
        self.close_button = _button("Close", "Close the help")
        self.back_button.setEnabled(False)
        self.manual_button.setEnabled(manual() is not None)
        self.keys_button.clicked.connect(self.show_keys)
        self.manual_button.clicked.connect(self.show_manual)
        self.back_button.clicked.connect(self.text.backward)
        self.close_button.clicked.connect(self.close)
        self.text.backwardAvailable.connect(self.back_button.setEnabled)
        self.text.sourceChanged.connect(lambda _: widen_tables(self.text.document()))
        buttons = QHBoxLayout()
        for button in (self.keys_button, self.manual_button, self.back_button):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self.close_button)
        layout = QVBoxLayout(self)
        layout.addWidget(self.text)
        layout.addLayout(buttons)
        self.resize(720, 640)
        self.show_keys()

    def show_keys(self) -> None:
        """Show the list of the keys."""
        self.text.setMarkdown(keys_as_markdown())
        widen_tables(self.text.document())

    def show_manual(self) -> None:
        """Show the first page of the manual."""
        page = manual()
        if page is not None:
            self.text.setSource(QUrl.fromLocalFile(str(page)))


class _PageBrowser(QTextBrowser):
    """Shows pages whose pictures fit its width."""

    def loadResource(self, kind: int, name: QUrl) -> Any:
        """Return a resource of a page, a wide picture scaled down."""
        found = super().loadResource(kind, name)
        if kind != _PICTURE:
            return found
        picture = QImage(self.source().resolved(name).toLocalFile())
        width = self.viewport().width() - _MARGIN
        if picture.width() <= width:
            return found
        return picture.scaledToWidth(width, Qt.TransformationMode.SmoothTransformation)


def manual() -> Path | None:
    """Return the first page of the manual: in an installed package, or in a checkout beside it."""
    package = Path(__file__).parents[2]
    pages = (folder / "docs" / "index.md" for folder in (package, package.parent))
    return next((page for page in pages if page.is_file()), None)


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setAutoDefault(False)
    return button
