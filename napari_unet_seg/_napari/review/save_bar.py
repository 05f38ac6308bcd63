"""The buttons that save a mask, and their file dialogs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QWidget

from napari_unet_seg._napari.files.coco_options import CocoOptionsButton
from napari_unet_seg._napari.files.save_dialog import SaveDialog
from napari_unet_seg._napari.layers.layer_record import record_of
from napari_unet_seg.io.zarr.read import is_zarr

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Labels

_BINARY = "Folder of 0/255 TIFFs, one for each image (*)"
_LABEL = "Among the labels of the OME-Zarr image, by this name (*)"
_MASKS = f"TIFF (*.tif *.tiff);;NIfTI (*.nii.gz *.nii);;OME-Zarr (*.zarr);;{_BINARY}"


class SaveBar(QWidget):
    """Buttons that let the user choose where a mask is saved, and in which format.

    Parameters
    ----------
    mask : callable
        Returns the mask that would be saved, or None.
    folder : callable
        Returns the folder to propose.
    """

    tiff_wanted = Signal(object)
    """Emitted with a path; its name decides between TIFF, NIfTI and OME-Zarr."""
    binary_wanted = Signal(object)
    """Emitted with a folder for TIFFs of 0 and 255."""
    coco_wanted = Signal(object)

    def __init__(self, mask: Callable[[], Labels | None], folder: Callable[[], Path]) -> None:
        super().__init__()
        self._mask, self._folder = mask, folder
        self.tiff_button = QPushButton("Save TIFF…")
        self.tiff_button.setToolTip(
            "Save the whole mask with its axes and voxel size as TIFF, NIfTI or OME-Zarr, or as a "
            "folder of 0/255 TIFFs, one for each image"
        )
        self.coco_button = QPushButton("Save COCO…")
        self.coco_button.setToolTip(
            "Save the mask as COCO; annotations of an imported file that were not edited are saved "
            "unchanged"
        )
        buttons = QHBoxLayout(self)
        buttons.setContentsMargins(0, 0, 0, 0)
        for button in (self.tiff_button, self.coco_button, CocoOptionsButton()):
            buttons.addWidget(button)
        self.tiff_button.clicked.connect(self._browse_tiff)
        self.coco_button.clicked.connect(self._browse_coco)

    def set_busy(self, busy: bool) -> None:
        """Disable the buttons while a mask is saved or a session opened, or without a mask."""
        self.tiff_button.setEnabled(not busy)
        self.coco_button.setEnabled(not busy)

    def _browse_tiff(self) -> None:
        store = self._store()
        path, kind = SaveDialog.ask(
            self,
            "Save the mask",
            self._proposed(".tif"),
            f"{_LABEL};;{_MASKS}" if store else _MASKS,
        )
        if path and kind == _BINARY:
            self.binary_wanted.emit(Path(path))
        elif path and store and kind == _LABEL:
            self.tiff_wanted.emit(store / "labels" / Path(path).name)
        elif path:
            self.tiff_wanted.emit(Path(path))

    def _browse_coco(self) -> None:
        path, _ = SaveDialog.ask(self, "Save as COCO", self._proposed(".json"), "COCO (*.json)")
        if path:
            self.coco_wanted.emit(Path(path))

    def _store(self) -> Path | None:
        """Return the path of the mask's image if that is an OME-Zarr, else None."""
        mask = self._mask()
        scan = record_of(mask).scan if mask else None
        return scan.path if scan and scan.path and is_zarr(scan.path) else None

    def _proposed(self, suffix: str) -> str:
        mask = self._mask()
        return str(self._folder() / f"{mask.name if mask else 'mask'}{suffix}")
