"""The bar that starts, opens and closes sessions."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Labels
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_unet_seg._napari.layers.conversion import is_user_layer
from napari_unet_seg._napari.layers.images.case import case_of
from napari_unet_seg._napari.layers.images.combo import MaskImageCombo
from napari_unet_seg._napari.widgets.layer_combo import LayerCombo
from napari_unet_seg._napari.widgets.path_edit import PathEdit
from napari_unet_seg._napari.widgets.settings import recall, remember
from napari_unet_seg.session.folders import free_folder

if TYPE_CHECKING:
    from napari.viewer import ViewerModel

    from napari_unet_seg._napari.session.recovery import UnclosedSession

_KEY = "sessions_folder"
_NAME_WIDTH = 110
"""Width in pixels of a session's name in a button; a long name would widen the dock."""
_SCANS_KEY = "scans_folder"


class SessionBar(QWidget):
    """Image, mask and folder of a new session, and the buttons to start and open one."""

    start_wanted = Signal()
    open_wanted = Signal(object)
    """Emitted with the folder of a session."""
    scans_wanted = Signal(object)
    """Emitted with a folder of scans."""
    close_wanted = Signal()
    declined = Signal(object)
    """Emitted with the folder of a session that the user does not want to reopen."""

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.mask_combo = LayerCombo(viewer, lambda layer: is_user_layer(layer, Labels))
        self.image_combo = MaskImageCombo(viewer, self.mask_combo)
        self.image_combo.setToolTip("The image that the mask was made from, which is learnt on")
        self.mask_combo.setToolTip("The mask to correct; start the session before you edit it")
        tip = "Folder for the session's prediction, masks and models"
        self.folder = PathEdit("folder", "Choose the folder of the session", tip=tip)
        self.start_button = QPushButton("Start session")
        self.start_button.setToolTip(
            "Keep the present mask as the prediction, and save every correction"
        )
        self.open_button = QPushButton("Open session…")
        self.open_button.setToolTip("Continue a session that was saved before")
        self.scans_button = QPushButton("Open folder…")
        self.scans_button.setToolTip("Review the scans of a folder, one after another")
        self.close_button = QPushButton("Close session")
        self.close_button.setToolTip("Save and close the session; its layers stay open")
        self.title = QLabel()
        self.title.setWordWrap(True)
        self.reopen_button = QPushButton()
        self.reopen_button.setToolTip("Continue a session that was not closed")
        self.decline_button = QToolButton()
        self.decline_button.setText("✕")
        self.decline_button.setToolTip("Do not offer this session again; it is not deleted")
        self.offered: Path | None = None
        """Folder of the session that the user is offered to reopen."""
        self._lay_out()
        self.image_combo.layerChanged.connect(self._propose)
        self.mask_combo.layerChanged.connect(self._propose)
        self.start_button.clicked.connect(self.start_wanted)
        self.open_button.clicked.connect(self._browse)
        self.scans_button.clicked.connect(self._browse_scans)
        self.close_button.clicked.connect(self.close_wanted)
        self.reopen_button.clicked.connect(lambda: self.open_wanted.emit(self.offered))
        self.decline_button.clicked.connect(lambda: self.declined.emit(self.offered))
        self.offer(None)
        self._propose()
        self.show_session(None)

    def show_session(self, folder: Path | None) -> None:
        """Show the open session; without one, the choice of layers to start one from."""
        self._form.setVisible(folder is None)
        self.start_button.setVisible(folder is None)
        self.close_button.setVisible(folder is not None)
        self.title.setVisible(folder is not None)
        if folder is None:
            self._propose()
        else:
            self.folder.setValue(folder)  # the next session gets a folder next to it
            self.title.setText(f"<b>{folder.name}</b>")
            self.title.setToolTip(str(folder))
            remember(_KEY, str(folder.parent))

    def offer(self, unclosed: UnclosedSession | None) -> None:
        """Offer to reopen a session that was not closed; None for no offer."""
        self.offered = unclosed.folder if unclosed else None
        self._offer.setVisible(unclosed is not None)
        if unclosed is not None:
            today = unclosed.saved.date() == datetime.now().date()
            time = f"{unclosed.saved:%H:%M}" if today else f"{unclosed.saved:%d %b %H:%M}"
            name = self.fontMetrics().elidedText(
                unclosed.folder.name, Qt.TextElideMode.ElideMiddle, _NAME_WIDTH
            )
            self.reopen_button.setText(f"Reopen “{name}” (saved {time})")
            self.reopen_button.setToolTip(f"It was not closed: {unclosed.folder}")

    def parent_folder(self) -> Path:
        """Return the parent of the session's folder; without one, that of the last session."""
        chosen = self.folder.value()
        return chosen.parent if chosen else sessions_folder()

    def set_busy(self, busy: bool) -> None:
        """Disable the buttons while a session is being started or opened."""
        layers = self.image_combo.layer() is not None and self.mask_combo.layer() is not None
        self.start_button.setEnabled(not busy and layers)
        self.open_button.setEnabled(not busy)
        self._offer.setEnabled(not busy)
        self.scans_button.setEnabled(not busy)
        self.close_button.setEnabled(not busy)

    def _lay_out(self) -> None:
        self._form = QWidget()
        rows = QFormLayout(self._form)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setVerticalSpacing(4)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows.addRow("Image", self.image_combo)
        rows.addRow("Mask", self.mask_combo)
        rows.addRow("Folder", self.folder)
        self._offer = QWidget()
        offer = QHBoxLayout(self._offer)
        offer.setContentsMargins(0, 0, 0, 0)
        offer.addWidget(self.reopen_button, 1)
        offer.addWidget(self.decline_button)
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        for button in (
            self.start_button,
            self.close_button,
            self.open_button,
            self.scans_button,
        ):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._offer)
        layout.addWidget(self._form)
        layout.addWidget(self.title)
        layout.addLayout(buttons)

    def _propose(self, _: Any = None) -> None:
        image = self.image_combo.layer()
        if image is not None:
            self.folder.setValue(free_folder(self.parent_folder(), case_of(image)))
        self.set_busy(False)

    def _browse_scans(self) -> None:
        start = str(recall(_SCANS_KEY, str(Path.home())))
        folder = QFileDialog.getExistingDirectory(self, "Choose a folder of scans", start)
        if folder:
            remember(_SCANS_KEY, folder)
            self.scans_wanted.emit(Path(folder))

    def _browse(self) -> None:
        start = str(sessions_folder())
        folder = QFileDialog.getExistingDirectory(self, "Choose the folder of a session", start)
        if folder:
            self.open_wanted.emit(Path(folder))


def sessions_folder() -> Path:
    """Return the folder of the last session's parent, `~/napari-unet-seg/sessions` at first."""
    default = Path.home() / "napari-unet-seg" / "sessions"
    return Path(recall(_KEY, str(default)))
