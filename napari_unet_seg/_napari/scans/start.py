"""Starts the session of a folder's scan by itself, once the scan has a mask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from napari.layers import Labels
from qtpy.QtCore import QObject, QTimer

from napari_unet_seg._napari.layers.layers import file_of, image_of, is_users
from napari_unet_seg._napari.widgets.dock_widget import connect
from napari_unet_seg.session.folders import free_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari.viewer import ViewerModel

    from napari_unet_seg._napari.review.widget import ReviewWidget


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
    review : ReviewWidget
        Which starts the session.
    scan : callable
        Returns the scan that is open without a session, if there is one.
    """

    def __init__(
        self, viewer: ViewerModel, review: ReviewWidget, scan: Callable[[], OpenScan | None]
    ) -> None:
        super().__init__(review)
        self._viewer, self._review, self._scan = viewer, review, scan
        connect(review, (viewer.layers.events.inserted, self._on_inserted))

    def _on_inserted(self, event: Any) -> None:
        scan = self._scan()
        if scan is None or not is_users(event.value, Labels):
            return
        if file_of(event.value) == scan.path:
            # Once whoever adds it has noted how it was predicted.
            QTimer.singleShot(0, lambda: self._start(event.value))

    def _start(self, mask: Labels) -> None:
        bar, scan = self._review.bar, self._scan()
        image = image_of(mask, bar.image_combo.layers)
        if scan is None or image is None or mask not in self._viewer.layers:
            return
        bar.mask_combo.setLayer(mask)
        bar.image_combo.setLayer(image)
        bar.folder.setValue(free_folder(bar.parent_folder(), scan.name))
        self._review.start_session()
