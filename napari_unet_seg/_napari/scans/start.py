"""Starts the session of a folder's scan by itself, once the scan has a mask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from napari.layers import Image, Labels
from qtpy.QtCore import QObject, QTimer

from napari_unet_seg._napari.layers.layers import file_of, image_of, is_users
from napari_unet_seg._napari.widgets.dock_widget import connect
from napari_unet_seg.session.folders import free_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QWidget

    from napari_unet_seg._napari.session.desk import SessionDesk


class OpenScan(NamedTuple):
    """A scan that is open without a session."""

    path: Path
    name: str
    """Of the session it gets."""


class AutoStart(QObject):
    """Looks for the mask of the scan that is worked on.

    Parameters
    ----------
    viewer : napari.Viewer
        Where masks come.
    desk : SessionDesk
        Which starts the session.
    scan : callable
        Returns the scan that is open without a session, if there is one.
    parent_folder : callable
        Returns the folder that new sessions go into.
    dock : QWidget
        The dock that ends it.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        desk: SessionDesk,
        scan: Callable[[], OpenScan | None],
        parent_folder: Callable[[], Path],
        dock: QWidget,
    ) -> None:
        super().__init__(dock)
        self._viewer, self._desk, self._scan = viewer, desk, scan
        self._parent_folder = parent_folder
        connect(dock, (viewer.layers.events.inserted, self._on_inserted))

    def _on_inserted(self, event: Any) -> None:
        scan = self._scan()
        if scan is None or not is_users(event.value, Labels):
            return
        if file_of(event.value) == scan.path:
            # Once whoever adds it has noted how it was predicted.
            QTimer.singleShot(0, lambda: self._start(event.value))

    def _start(self, mask: Labels) -> None:
        scan = self._scan()
        images = [layer for layer in self._viewer.layers if is_users(layer, Image)]
        image = image_of(mask, images)
        if scan is not None and image is not None and mask in self._viewer.layers:
            self._desk.start(image, mask, free_folder(self._parent_folder(), scan.name))
