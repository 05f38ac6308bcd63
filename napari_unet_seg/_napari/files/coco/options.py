"""The options with which masks are saved as COCO: their dialog, and the last choice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QDialog, QDialogButtonBox, QLabel, QToolButton, QVBoxLayout, QWidget

from napari_unet_seg._napari.widgets.form.form import Form
from napari_unet_seg._napari.widgets.messages import show_info
from napari_unet_seg._napari.widgets.settings import COCO_OPTIONS, recall, remember
from napari_unet_seg.config import CocoOptions
from napari_unet_seg.errors import ConfigError
from napari_unet_seg.io.common.counting import counted, was_or_were

if TYPE_CHECKING:
    from napari_unet_seg.io.coco.encode import Encoder

_ABOUT = "Annotations of an imported file that were not edited are saved unchanged."


def coco_options() -> CocoOptions:
    """Return the options that were chosen last."""
    try:
        return CocoOptions.parse(recall(COCO_OPTIONS, {}), "the settings")
    except ConfigError:
        # Written by another version; lost options are no more than an inconvenience.
        return CocoOptions()


def show_cuts(encoder: Encoder) -> None:
    """Show how many masks with holes became more than one polygon."""
    if encoder.cut:
        cut = f"{counted(encoder.cut, 'mask')} with holes {was_or_were(encoder.cut)} cut"
        show_info(f"{cut} into adjacent polygons, because COCO polygons have no holes.")


class CocoOptionsButton(QToolButton):
    """Opens the dialog of the COCO options."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setText("…")
        self.setToolTip("How masks are written as COCO: polygons or RLE, and how exactly")
        self.clicked.connect(self.ask)

    def ask(self) -> None:
        """Show the dialog of the options."""
        self.dialog = CocoOptionsDialog(self)
        self.dialog.open()


class CocoOptionsDialog(QDialog):
    """Edits the COCO options; OK keeps them for the next start of napari."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("COCO options")
        self.form = Form(CocoOptions)
        self.form.setValue(coco_options())
        about = QLabel(_ABOUT)
        about.setWordWrap(True)
        button = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(button.Ok | button.Cancel | button.RestoreDefaults)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        restore = self.buttons.button(button.RestoreDefaults)
        restore.clicked.connect(lambda: self.form.setValue(CocoOptions()))
        layout = QVBoxLayout(self)
        layout.addWidget(self.form)
        layout.addWidget(about)
        layout.addWidget(self.buttons)

    def accept(self) -> None:
        """Keep the options."""
        remember(COCO_OPTIONS, self.form.value().model_dump())
        super().accept()
