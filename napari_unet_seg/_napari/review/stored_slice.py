"""The slice that decisions are about while another plane of the volume is on screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QLabel

from napari_unet_seg._napari.layers.position import plane_name, shows_slice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qtpy.QtWidgets import QPushButton, QWidget

    from napari_unet_seg._napari.session.open_session import OpenSession


class StoredSliceNote(QLabel):
    """Names the stored slice on the buttons that decide on it, if it is not on screen as a plane.

    Parameters
    ----------
    buttons : mapping
        By their texts while a stored slice is on screen: the buttons that decide on it.
    """

    def __init__(self, buttons: Mapping[str, QPushButton], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._buttons = buttons
        self._open_session: OpenSession | None = None
        self.setWordWrap(True)
        self.hide()

    def show_session(self, open_session: OpenSession | None) -> None:
        """Follow the slice of an open session; None for no session."""
        self._open_session = open_session
        if open_session is not None:
            open_session.shown.moved.connect(self._update)
            open_session.shown.turned.connect(self._update)
        self._update()

    def _update(self, _: Any = None) -> None:
        current = self._open_session
        is_hidden = current is not None and not shows_slice(current.viewer, current.mask)
        number = f" {current.shown.index}" if current is not None and is_hidden else ""
        for text, button in self._buttons.items():
            word, _, key = text.partition("  ")
            button.setText(f"{word}{number}  {key}".rstrip())
        if current is not None:
            name = current.session.name_of(current.shown.index)
            plane = plane_name(current.mask)
            self.setText(
                f"Decisions are about {plane} slices, as they are stored; now about slice "
                f"{current.shown.index} ({name})."
            )
        self.setVisible(is_hidden)
