"""A combo box of images, in which the image of a mask is chosen by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Image

from napari_unet_seg._napari.layers.conversion import is_user_layer
from napari_unet_seg._napari.layers.images.owner import image_of
from napari_unet_seg._napari.layers.layer_record import record_of
from napari_unet_seg._napari.widgets.dock_widget import connect
from napari_unet_seg._napari.widgets.form.layer_combo import LayerCombo

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QWidget

UNKNOWN = "choose the image of this mask"


class MaskImageCombo(LayerCombo):
    """Lists the images, and chooses the one that the mask in another combo box was made from.

    Another image is used only if the user chooses it, until another mask is chosen. Without a mask
    the choice follows the viewer's selection.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer whose images are listed.
    masks : LayerCombo
        The choice of the mask.
    """

    def __init__(
        self, viewer: ViewerModel, masks: LayerCombo, parent: QWidget | None = None
    ) -> None:
        self._masks = masks
        self._wanted: Layer | None = None
        """The image that the user has chosen for the mask."""
        super().__init__(viewer, lambda layer: is_user_layer(layer, Image), parent, follow=False)
        self.activated.connect(self._on_activated)
        self.listChanged.connect(self._follow)
        masks.layerChanged.connect(self._on_mask)
        connect(self, (viewer.layers.selection.events.active, self._on_selection))
        self._follow()

    def setLayer(self, layer: Layer) -> None:
        """Choose an image for the present mask."""
        self._wanted = layer
        super().setLayer(layer)

    def _on_activated(self, _: int) -> None:
        self._wanted = self.layer()

    def _on_mask(self, _: Any) -> None:
        self._wanted = None
        self._follow()

    def _on_selection(self, _: Any = None) -> None:
        if self._masks.layer() is None:
            self._choose(self._viewer.layers.selection.active)

    def _follow(self) -> None:
        """Choose the image of the mask, or ask for it."""
        mask = self._masks.layer()
        if mask is None or self._wanted in self.layers:
            self._ask(False)
            return
        image = image_of(mask, self.layers)
        if image is None and len(self.layers) == 1 and record_of(mask).image is None:
            (image,) = self.layers  # of another grid, which is reported where it is used
        self._ask(image is None and bool(self.layers))
        if image is not None:
            self._choose(image)

    def _ask(self, unknown: bool) -> None:
        if unknown != bool(self._no_layer_text):
            self.setNoLayerText(UNKNOWN if unknown else "")
        elif unknown:
            self.setCurrentIndex(0)
