"""The bar of the open session; without one, what is missing, and the button that goes on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_unet_seg._napari.layers.images.case import case_of
from napari_unet_seg._napari.widgets.form.path_edit import PathEdit
from napari_unet_seg._napari.widgets.settings import recall, remember
from napari_unet_seg.session.folders import free_folder

if TYPE_CHECKING:
    from napari_unet_seg._napari.layers.images.combo import MaskImageCombo
    from napari_unet_seg._napari.widgets.form.layer_combo import LayerCombo

_KEY = "sessions_folder"


class SessionBar(QWidget):
    """Shows the open session, or offers the step that a session still needs.

    Parameters
    ----------
    image_combo : MaskImageCombo
        The image that the mask was made from; shown where another one can be chosen.
    mask_combo : LayerCombo
        The chosen mask.
    """

    open_wanted = Signal()
    """The user wants to open a scan."""
    segment_wanted = Signal()
    """The user wants a mask of the chosen image."""
    empty_wanted = Signal()
    """The user wants to draw on an empty mask of the chosen image."""
    start_wanted = Signal()
    close_wanted = Signal()

    def __init__(
        self, image_combo: MaskImageCombo, mask_combo: LayerCombo, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._image_combo, self._mask_combo = image_combo, mask_combo
        image_combo.setToolTip("The image that the mask was made from, which is learnt from")
        self._is_open = self._busy = False
        tip = "Folder for the session's prediction, masks and models"
        self.folder = PathEdit("folder", "Choose the folder of the session", tip=tip)
        self.message = QLabel()
        self.message.setWordWrap(True)
        self.open_button = _button("Open…", "Open a scan to segment and correct")
        self.segment_button = _button("Segment", "Let the network draw a mask of the image")
        self.empty_button = _button(
            "Empty mask", "Start on an empty mask of the image, to point or paint in it"
        )
        self.start_button = _button(
            "Start session", "Keep the present mask as the prediction, and save every correction"
        )
        self.close_button = _button("Close", "Save and close the session; its layers stay open")
        self._lay_out()
        image_combo.layerChanged.connect(self._propose)
        image_combo.listChanged.connect(self._show)
        mask_combo.layerChanged.connect(self._propose)
        self.open_button.clicked.connect(self.open_wanted)
        self.segment_button.clicked.connect(self.segment_wanted)
        self.empty_button.clicked.connect(self.empty_wanted)
        self.start_button.clicked.connect(self.start_wanted)
        self.close_button.clicked.connect(self.close_wanted)
        self.show_session(None)

    def show_session(self, folder: Path | None) -> None:
        """Show the open session; without one, what it needs."""
        self._is_open = folder is not None
        if folder is None:
            self._propose()
        else:
            self.folder.setValue(folder)  # the next session gets a folder next to it
            self.message.setToolTip(str(folder))
            remember(_KEY, str(folder.parent))
            self._show()

    def parent_folder(self) -> Path:
        """Return the parent of the session's folder; without one, that of the last session."""
        chosen = self.folder.value()
        return chosen.parent if chosen else sessions_folder()

    def set_busy(self, busy: bool) -> None:
        """Disable the buttons while a session is being started or opened."""
        self._busy = busy
        self._show()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.message, 1)
        for button in (
            self.open_button,
            self.segment_button,
            self.empty_button,
            self.start_button,
            self.close_button,
        ):
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(row)
        layout.addWidget(self._image_combo)
        layout.addWidget(self.folder)

    def _propose(self, _: Any = None) -> None:
        image = self._image_combo.layer()
        if image is not None and not self._is_open:
            self.folder.setValue(free_folder(self.parent_folder(), case_of(image)))
        self._show()

    def _show(self) -> None:
        image, mask = self._image_combo.layer(), self._mask_combo.layer()
        can_start = image is not None and mask is not None and not self._is_open
        several = len(self._image_combo.layers) > 1 or self._image_combo.isNoLayer()
        self._image_combo.setVisible(several and mask is not None and not self._is_open)
        self.open_button.setVisible(not self._image_combo.layers and not self._is_open)
        for button in (self.segment_button, self.empty_button):
            button.setVisible(image is not None and mask is None and not self._is_open)
        self.start_button.setVisible(can_start)
        self.folder.setVisible(can_start)
        self.close_button.setVisible(self._is_open)
        self.start_button.setEnabled(not self._busy and can_start)
        self.close_button.setEnabled(not self._busy)
        if not self._is_open:
            self.message.setToolTip("")
        if self._busy and not self._is_open:
            self.message.setText("One moment: a session is opened …")
        elif self._is_open:
            folder = self.folder.value()
            self.message.setText(f"Session <b>{folder.name if folder else ''}</b>")
        elif self._image_combo.isNoLayer() and mask is not None:
            self.message.setText(f"Choose the image that {mask.name} was made from.")
        elif image is None:
            self.message.setText("Nothing is open. Open a scan, and correct its mask here.")
        elif mask is None:
            self.message.setText(f"{image.name} has no mask yet.")
        else:
            self.message.setText(f"Start a session, which keeps what you correct in {mask.name}.")


def sessions_folder() -> Path:
    """Return the folder of the last session's parent, `~/napari-unet-seg/sessions` at first."""
    default = Path.home() / "napari-unet-seg" / "sessions"
    return Path(recall(_KEY, str(default)))


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    return button
