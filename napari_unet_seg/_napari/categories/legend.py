"""The editor of the categories of the active mask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Labels

from napari_unet_seg._napari.categories.editor import CategoryEditor
from napari_unet_seg._napari.categories.edits import can_name
from napari_unet_seg._napari.layers.conversion import is_user_layer
from napari_unet_seg._napari.widgets.dock_widget import connect

if TYPE_CHECKING:
    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QWidget


class CategoryLegend(CategoryEditor):
    """Shows the categories of the active mask; while an image is active, of the last mask.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer whose active mask is shown.
    """

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__(viewer, parent)
        connect(self, (viewer.layers.selection.events.active, self._follow))
        self._follow()

    def show_mask(self, layer: Labels | None) -> None:
        """Show the categories of a mask; without any mask the legend is hidden."""
        super().show_mask(layer)
        self.setVisible(layer is not None)

    def _follow(self, _: Any = None) -> None:
        layer = self.viewer.layers.selection.active
        if layer is None or layer is self.layer or not is_user_layer(layer, Labels):
            if self.layer is None:
                self.hide()
            return
        self.show_mask(layer if can_name(layer) else None)
