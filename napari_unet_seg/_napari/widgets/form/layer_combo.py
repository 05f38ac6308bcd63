"""A combo box of the viewer's layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker, Signal

from napari_unet_seg._napari.widgets.dock_widget import connect
from napari_unet_seg._napari.widgets.form.eliding_combo import ElidingCombo

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Layer
    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QWidget


class LayerCombo(ElidingCombo):
    """Lists the viewer's layers of a kind, and follows the viewer's selection.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer whose layers are listed.
    accepts : callable
        Whether a layer is listed.
    follow : bool
        Whether a layer is chosen when it becomes the viewer's active layer.
    empty_text : str
        What is shown while there is no layer to choose.
    """

    layerChanged = Signal(object)
    """The chosen layer or None."""
    listChanged = Signal()
    """Emitted after layers were added, removed or reordered, when the choice is up to date."""

    def __init__(
        self,
        viewer: ViewerModel,
        accepts: Callable[[Layer], bool],
        parent: QWidget | None = None,
        *,
        follow: bool = True,
        empty_text: str = "",
    ) -> None:
        super().__init__(parent, empty_text)
        self._viewer, self._accepts = viewer, accepts
        self._layers: list[Layer] = []
        self._no_layer_text = ""
        self._follows = follow
        events = viewer.layers.events
        connect(
            self,
            (events.inserted, self._refill),
            (events.removed, self._refill),
            (events.reordered, self._refill),
            (events.changed, self._refill),
            (events.renamed, self._refill),
        )
        connect(self, (viewer.layers.selection.events.active, self._on_active))
        self.currentIndexChanged.connect(lambda _: self.layerChanged.emit(self.layer()))
        self._refill()
        self._choose(viewer.layers.selection.active)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The listed layers, the topmost first."""
        return tuple(self._layers)

    def layer(self) -> Layer | None:
        """The chosen layer."""
        index = self.currentIndex() - bool(self._no_layer_text)
        return self._layers[index] if 0 <= index < len(self._layers) else None

    def isNoLayer(self) -> bool:
        """Whether the entry that stands for no layer is chosen."""
        return bool(self._no_layer_text) and self.currentIndex() == 0

    def setNoLayerText(self, text: str) -> None:
        """Add an entry for no layer before the layers and choose it, or remove that entry.

        Parameters
        ----------
        text : str
            Text of the entry; empty to remove it.
        """
        chosen = self.layer()
        blocker = QSignalBlocker(self)
        self._no_layer_text = text
        self._fill(None if text else chosen)
        blocker.unblock()
        self.layerChanged.emit(self.layer())

    def setLayer(self, layer: Layer) -> None:
        """Choose a layer."""
        self._choose(layer)

    def _refill(self, _: Any = None) -> None:
        chosen = self.layer()
        blocker = QSignalBlocker(self)
        self._fill(chosen)
        blocker.unblock()
        if self.layer() is not chosen:
            self.layerChanged.emit(self.layer())
        self.listChanged.emit()

    def _fill(self, chosen: Layer | None) -> None:
        self._layers = [layer for layer in reversed(self._viewer.layers) if self._accepts(layer)]
        self.clear()
        if self._no_layer_text:
            self.addItem(self._no_layer_text)
        self.addItems([layer.name for layer in self._layers])
        self._choose(chosen)

    def setHeld(self, held: bool) -> None:
        """Fix the choice for now, so that it does not follow the selection either."""
        self._follows = not held
        super().setHeld(held)

    def _on_active(self, _: Any = None) -> None:
        if self._follows:
            self._choose(self._viewer.layers.selection.active)

    def _choose(self, layer: Layer | None) -> None:
        if layer in self._layers:
            self.setCurrentIndex(self._layers.index(layer) + bool(self._no_layer_text))
