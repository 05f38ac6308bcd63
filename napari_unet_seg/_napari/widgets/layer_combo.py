"""A list of the viewer's layers to choose one from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QComboBox, QSizePolicy

from napari_unet_seg._napari.widgets.dock_widget import connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Layer
    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QWidget


class LayerCombo(QComboBox):
    """Follows the viewer's layers and its selection.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers are listed.
    fits : callable
        Tells which of them.
    follow : bool
        Whether the layer that becomes the active one is chosen.
    """

    layerChanged = Signal(object)
    """The chosen layer or None."""
    listChanged = Signal()
    """Layers came, went or changed places, and one is chosen."""

    def __init__(
        self,
        viewer: ViewerModel,
        fits: Callable[[Layer], bool],
        parent: QWidget | None = None,
        *,
        follow: bool = True,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._fits = viewer, fits
        self._layers: list[Layer] = []
        self._first = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(120)
        events = viewer.layers.events
        connect(
            self,
            (events.inserted, self._refill),
            (events.removed, self._refill),
            (events.reordered, self._refill),
            (events.changed, self._refill),
            (events.renamed, self._refill),
        )
        if follow:
            connect(self, (viewer.layers.selection.events.active, self._on_active))
        self.currentIndexChanged.connect(lambda _: self.layerChanged.emit(self.layer()))
        self._refill()
        self._choose(viewer.layers.selection.active)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers to choose from, the topmost first."""
        return tuple(self._layers)

    def layer(self) -> Layer | None:
        """The chosen layer."""
        index = self.currentIndex() - bool(self._first)
        return self._layers[index] if 0 <= index < len(self._layers) else None

    def isFirst(self) -> bool:
        """Whether the entry that stands for no layer is chosen."""
        return bool(self._first) and self.currentIndex() == 0

    def setFirst(self, text: str) -> None:
        """Put an entry before the layers that stands for no layer, and choose it; or take it off.

        Parameters
        ----------
        text : str
            Empty for none.
        """
        chosen = self.layer()
        blocker = QSignalBlocker(self)
        self._first = text
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
        self._layers = [layer for layer in reversed(self._viewer.layers) if self._fits(layer)]
        self.clear()
        self.addItems([self._first] * bool(self._first) + [layer.name for layer in self._layers])
        self._choose(chosen)

    def _on_active(self, _: Any = None) -> None:
        self._choose(self._viewer.layers.selection.active)

    def _choose(self, layer: Layer | None) -> None:
        if layer in self._layers:
            self.setCurrentIndex(self._layers.index(layer) + bool(self._first))
