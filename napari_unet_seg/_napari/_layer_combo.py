"""A choice among the viewer's layers of one kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QComboBox, QWidget

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


class LayerCombo(QComboBox):
    """Lists the layers of one class and follows the viewer as they come, go and are renamed."""

    valueChanged = Signal(object)
    """The chosen layer, or None."""

    def __init__(
        self, viewer: ViewerModel, layer_class: type[Layer], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._layers = viewer.layers
        self._class = layer_class
        self.setMinimumContentsLength(8)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.currentIndexChanged.connect(self._on_chosen)
        events = self._layers.events
        for event in (events.inserted, events.removed, events.reordered, events.renamed):
            event.connect(self._refill)
        self._refill()

    def value(self) -> Layer | None:
        """The chosen layer."""
        return self.currentData()

    def setValue(self, layer: Layer | None) -> None:
        """Choose a layer."""
        self.setCurrentIndex(self._index(layer))

    def _refill(self, event: Any = None) -> None:
        before = self.value()
        blocker = QSignalBlocker(self)
        self.clear()
        for layer in reversed(self._layers):
            if type(layer) is self._class:
                self.addItem(layer.name, layer)
        self.setCurrentIndex(max(self._index(before), min(0, self.count() - 1)))
        blocker.unblock()
        if self.value() is not before:
            self._on_chosen()

    def _index(self, layer: Layer | None) -> int:
        # By identity: findData would compare layers by their arrays.
        return next((i for i in range(self.count()) if self.itemData(i) is layer), -1)

    def _on_chosen(self, _: int = 0) -> None:
        self.valueChanged.emit(self.value())
