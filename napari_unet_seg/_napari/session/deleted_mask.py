"""The mask of a session that was deleted from the window, and the bar that offers it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from pathlib import Path

    from napari.layers import Image, Labels
    from napari.viewer import ViewerModel


class DeletedMask(NamedTuple):
    """The layers of a session that was closed because its mask was deleted."""

    folder: Path
    """Folder of the session."""
    image: Image
    mask: Labels
    place: int
    """Place of the mask among the layers."""

    def add_again(self, viewer: ViewerModel) -> None:
        """Add the mask again, and its image if that was deleted too."""
        if self.image not in viewer.layers:
            viewer.layers.insert(min(self.place, len(viewer.layers)), self.image)
        if self.mask not in viewer.layers:
            place = max(self.place, viewer.layers.index(self.image) + 1)
            viewer.layers.insert(min(place, len(viewer.layers)), self.mask)


class DeletedMaskBar(QWidget):
    """Says which mask was deleted, and offers to bring it back with its session."""

    restore_wanted = Signal(object)
    """Emitted with the `DeletedMask`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._deleted: DeletedMask | None = None
        self.message = QLabel()
        self.message.setWordWrap(True)
        self.restore_button = QPushButton("Bring it back")
        self.restore_button.setToolTip("Add the mask again, and go on with its session")
        self.decline_button = QToolButton()
        self.decline_button.setText("✕")
        self.decline_button.setToolTip("Leave it deleted; the session stays on the disk")
        buttons = QHBoxLayout()
        buttons.addWidget(self.restore_button, 1)
        buttons.addWidget(self.decline_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.message)
        layout.addLayout(buttons)
        self.restore_button.clicked.connect(lambda: self.restore_wanted.emit(self._deleted))
        self.decline_button.clicked.connect(lambda: self.offer(None))
        self.offer(None)

    def offer(self, deleted: DeletedMask | None) -> None:
        """Offer a mask; None for no offer."""
        self._deleted = deleted
        self.setVisible(deleted is not None)
        if deleted is not None:
            name = deleted.folder.name
            self.message.setText(
                f"The mask {deleted.mask.name} was deleted. Its session {name} is saved and closed."
            )
            self.message.setToolTip(str(deleted.folder))
