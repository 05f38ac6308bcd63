"""Saving of a mask from the dock, in the background and with a question if its file has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_unet_seg._napari.categories.stray_notice import refuse_stray
from napari_unet_seg._napari.files import writer
from napari_unet_seg._napari.files.changed_dialog import ChangedDialog
from napari_unet_seg._napari.files.coco.document import save_masks, with_others
from napari_unet_seg._napari.layers.geometry import geometry_of
from napari_unet_seg._napari.session.jobs import write_mask
from napari_unet_seg.errors import ChangedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari.layers import Labels
    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QWidget

    from napari_unet_seg._napari.session.desk import SessionDesk
    from napari_unet_seg.io.coco.merge.keys import Keep

    Write = Callable[[Path, Keep | None], object]

_WRITES = "The file is written whole or not at all; wait until it is done."


class MaskSaver(QObject):
    """Writes masks as jobs of the desk.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer of the masks.
    desk : SessionDesk
        The desk, which runs one job at a time.
    dock : QWidget
        The dock, below the question.
    """

    started = Signal(object)
    """Emitted with a mask that is going to be written."""
    written = Signal(object, object)
    """Emitted with the path of a saved file, and with its mask."""
    failed = Signal(object)
    """Emitted with the error after which a file is as it was."""

    def __init__(self, viewer: ViewerModel, desk: SessionDesk, dock: QWidget) -> None:
        super().__init__(dock)
        self._viewer, self._desk, self._dock = viewer, desk, dock
        self._changed: tuple[Write, Path, Labels, ChangedError] | None = None
        self.dialog: ChangedDialog | None = None
        """The question that is open."""
        desk.busy_changed.connect(self._ask)

    def save_tiff(self, mask: Labels | None, path: Path) -> None:
        """Write a mask as TIFF, NIfTI or OME-Zarr, by the name of the path."""
        self._save(mask, path, writer.write_tiff)

    def save_binary(self, mask: Labels | None, folder: Path) -> None:
        """Write TIFFs of 0 and 255 into a folder, one for each image and category."""
        if mask is not None and not refuse_stray(mask, self._viewer.layers):
            self._save(mask, folder, writer.write_binary)

    def save_seg(self, mask: Labels | None, path: Path, *, identified: bool) -> None:
        """Write a mask as DICOM SEG, which names the patient if `identified`."""
        name = writer.write_dicom_seg if identified else writer.write_deidentified_seg
        self._save(mask, path, name)

    def save_coco(self, mask: Labels | None, path: Path) -> None:
        """Write a mask as COCO, with the other masks of the same COCO file."""
        if mask is None or refuse_stray(mask, self._viewer.layers):
            return
        (data, names, kind), *others = with_others([_layer_data(mask)], self._viewer.layers)

        def write(place: Path, keep: Keep | None) -> None:
            save_masks(place, [(np.array(data), names, kind), *others], keep)

        self._run(write, path, mask)

    def _save(self, mask: Labels | None, path: Path, write: Callable[..., object]) -> None:
        if mask is not None:
            data, attributes, _ = _layer_data(mask)
            self._run(lambda place, _: write(str(place), np.array(data), attributes), path, mask)

    def _run(self, write: Write, path: Path, mask: Labels, keep: Keep | None = None) -> None:
        if self._desk.busy:
            return

        def deliver(event: Path | ChangedError) -> None:
            if isinstance(event, ChangedError):
                self._changed = write, path, mask, event
            else:
                self.written.emit(event, mask)

        self.started.emit(mask)
        events = write_mask(write, path, keep)
        name = f"Saving {path.name}"
        self._desk.run(events, deliver, name, self.failed.emit, unstoppable=_WRITES)

    def _ask(self, busy: bool) -> None:
        """Ask about a changed file once the job has ended."""
        if busy or self._changed is None:
            return
        (write, path, mask, error), self._changed = self._changed, None
        self.dialog = dialog = ChangedDialog(error, path, self._dock)

        def answer(_: int) -> None:
            self.dialog = None
            dialog.deleteLater()
            if (chosen := dialog.value()) is not None:
                place, keep = chosen
                self._run(write, place, mask, keep)

        dialog.finished.connect(answer)
        dialog.open()


def _layer_data(mask: Labels) -> tuple[Any, dict[str, Any], str]:
    names = {"name": mask.name, "metadata": mask.metadata, "features": mask.features}
    return mask.data, {**names, **geometry_of(mask)}, "labels"
