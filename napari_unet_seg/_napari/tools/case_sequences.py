"""The sequences of a mask's case that are open on its grid, and the one of them on screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Image
from qtpy.QtCore import QObject, Signal

from napari_unet_seg._napari.layers.conversion import is_user_layer, scan_from_layer
from napari_unet_seg._napari.layers.images.channels import images_of_case
from napari_unet_seg._napari.widgets.dock_widget import connect
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.grids.resampling import shares_grid

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QWidget

    from napari_unet_seg.io.common.scan import Scan


class CaseSequences(QObject):
    """Finds the sequences among the layers of the viewer.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer of the layers.
    image : callable
        Returns the image of the mask.
    parent : QWidget
        The widget with which the connections end.
    """

    changed = Signal()
    """Other sequences than before are open, or another one is on screen."""

    def __init__(
        self, viewer: ViewerModel, image: Callable[[], Image | None], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._viewer, self._image = viewer, image
        self._watched: list[Image] = []
        layers = viewer.layers.events
        connect(
            parent,
            (layers.inserted, self._follow),
            (layers.removed, self._follow),
            (layers.reordered, self._tell),
        )
        parent.destroyed.connect(self._release)
        self._follow()

    def all(self) -> list[Image]:
        """Return the image of the mask and the others of its case on its grid, the topmost last."""
        image = self._image()
        if image is None or (grid := _scan(image)) is None:
            return []
        images = images_of_case(image, self._viewer.layers)
        scans = ((each, _scan(each)) for each in images)
        return [each for each, scan in scans if scan is not None and shares_grid(scan, grid)]

    def shown(self) -> Image | None:
        """Return the sequence on screen, the topmost if several are; else the mask's image."""
        visible = [image for image in self.all() if image.visible]
        return visible[-1] if visible else self._image()

    def others(self) -> list[Image]:
        """Return the sequences beside the one on screen."""
        shown = self.shown()
        return [each for each in self.all() if shown and each.unique_id != shown.unique_id]

    def _follow(self, _: Any = None) -> None:
        """Watch the images that are open now."""
        images = [layer for layer in self._viewer.layers if is_user_layer(layer, Image)]
        if [i.unique_id for i in images] == [i.unique_id for i in self._watched]:
            return
        self._release()
        self._watched = images
        for image in images:
            image.events.visible.connect(self._tell)
        self._tell()

    def _release(self) -> None:
        for image in self._watched:
            image.events.visible.disconnect(self._tell)
        self._watched = []

    def _tell(self, _: Any = None) -> None:
        self.changed.emit()


def _scan(image: Image) -> Scan | None:
    """Return an image as a scan; None if it has too many dimensions for one."""
    try:
        return scan_from_layer(image)
    except DataError:
        return None
