"""The automatic start of a session, when the current scan of a folder gets a mask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from napari.layers import Image, Labels
from qtpy.QtCore import QObject, QTimer

from napari_unet_seg._napari.layers.conversion import categories_of, is_user_layer
from napari_unet_seg._napari.layers.images.case import case_of
from napari_unet_seg._napari.layers.images.owner import image_of
from napari_unet_seg._napari.layers.layer_record import record_of
from napari_unet_seg._napari.widgets.dock_widget import connect
from napari_unet_seg.session.folders import free_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QWidget

    from napari_unet_seg._napari.session.desk import SessionDesk


class ScanWithoutSession(NamedTuple):
    """An open scan that has no session yet."""

    path: Path
    name: str
    """Name of the scan's future session."""


class SessionStarter(QObject):
    """Starts a session on the mask that is added for the current scan.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer that gets the mask.
    desk : SessionDesk
        Starts the session.
    scan : callable
        Returns the current scan if it has no session, else None.
    parent_folder : callable
        Returns the folder that new sessions go into.
    dock : QWidget
        The dock with which the starter is destroyed.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        desk: SessionDesk,
        scan: Callable[[], ScanWithoutSession | None],
        parent_folder: Callable[[], Path],
        dock: QWidget,
    ) -> None:
        super().__init__(dock)
        self._viewer, self._desk, self._scan = viewer, desk, scan
        self._parent_folder = parent_folder
        connect(dock, (viewer.layers.events.inserted, self._on_inserted))

    def _on_inserted(self, event: Any) -> None:
        scan = self._scan()
        if scan is None or not is_user_layer(event.value, Labels):
            return
        if not categories_of(event.value) or record_of(event.value).from_file:
            return  # a new layer to draw on, or a mask that came with its case
        if case_of(event.value) == scan.name:
            # After the code that adds the layer has recorded how the mask was predicted.
            QTimer.singleShot(0, lambda: self._start(event.value))

    def _start(self, mask: Labels) -> None:
        scan = self._scan()
        images = [layer for layer in self._viewer.layers if is_user_layer(layer, Image)]
        image = image_of(mask, images)
        if scan is not None and image is not None and mask in self._viewer.layers:
            self._desk.start(image, mask, free_folder(self._parent_folder(), scan.name))
