"""A line of text about what is going on or has happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QLabel

from napari_unet_seg._napari.widgets.fitted_text import fitted
from napari_unet_seg._napari.widgets.scroll import bring_into_view

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget


class StatusLabel(QLabel):
    """Shows a message with paths that fit; the whole message is its tooltip.

    A path has no spaces to wrap at, so that a long one would widen the dock. A message answers
    what the user did, so the column around the label scrolls to it.
    """

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._whole = ""
        self.setWordWrap(True)
        self.setText(text)

    def text(self) -> str:
        """Return the whole message."""
        return self._whole

    def setText(self, text: str | None) -> None:
        """Show a message, and bring it into view."""
        self.show_progress(text)
        if text:
            bring_into_view(self)

    def show_progress(self, text: str | None) -> None:
        """Show how something goes on, which does not scroll where the user looks at."""
        self._whole = text or ""
        shown = fitted(self._whole)
        super().setText(shown)
        self.setToolTip(self._whole if shown != self._whole else "")
