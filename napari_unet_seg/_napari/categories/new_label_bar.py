"""An offer to name a label that has no category, in a row that stops nobody from painting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QLabel, QLineEdit, QPushButton, QWidget

from napari_unet_seg._napari.categories.edits import (
    add_category,
    can_name,
    default_name,
    shown_categories,
)
from napari_unet_seg._napari.categories.swatches import SWATCH, colour_of_label, colour_swatch
from napari_unet_seg._napari.layers.conversion import categories_of
from napari_unet_seg._napari.layers.instances import is_instances
from napari_unet_seg._napari.widgets.scroll import bring_into_view
from napari_unet_seg._napari.widgets.status_label import StatusLabel
from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari.layers import Labels, Layer
    from qtpy.QtGui import QKeyEvent


class NewLabelBar(QWidget):
    """Offers a name for the brush's label, or for a label that was found, if it has no category."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layers: Iterable[Layer] = ()
        self._layer: Labels | None = None
        self._label = 0
        self.text, self.swatch = QLabel(), QLabel()
        self.name = QLineEdit()
        self.name.setToolTip("Name of the new category; Enter adds it, Esc leaves it out")
        self.button = QPushButton("Add")
        self.button.setToolTip("Add a category of this name to the mask")
        self.problem = StatusLabel()
        self.name.returnPressed.connect(self.add)
        self.name.textEdited.connect(lambda _: self.problem.hide())
        self.button.clicked.connect(self.add)
        self._lay_out()
        self.hide()
        self.destroyed.connect(lambda: self._release())

    @property
    def label(self) -> int:
        """The label that a name is offered for, 0 if none is."""
        return self._label

    def show_mask(self, layer: Labels | None, layers: Iterable[Layer] = ()) -> None:
        """Follow the brush's label of a mask, in place of the previous mask; None for no mask.

        Parameters
        ----------
        layer : Labels
            The mask.
        layers : iterable of Layer
            All layers of the window; see `add_category`.
        """
        self._release()
        self._layer, self._layers = layer, layers
        if layer is not None:
            layer.events.selected_label.connect(self._follow)
            layer.events.features.connect(self._follow)
        self._follow()

    def offer(self, label: int, *, focus: bool = False) -> None:
        """Offer a name for a label of the mask, or for a category without pixels if it is 0."""
        layer = self._layer
        if layer is None or not can_name(layer):
            self._leave()
            return
        self._label = label
        colour = colour_of_label(layer, label or len(shown_categories(layer)) + 1)
        self.swatch.setPixmap(colour_swatch(colour).pixmap(SWATCH, SWATCH))
        self.text.setText(f"Label {label} is new:" if label else "New category:")
        self.name.setText(default_name(layer))
        self.problem.hide()
        self.show()
        bring_into_view(self)
        if focus:
            self.name.setFocus()
            self.name.selectAll()

    def add(self) -> None:
        """Add the category of the typed name."""
        if self._layer is None:
            return
        try:
            add_category(self._layer, self.name.text(), self._layers, self._label)
        except DataError as error:
            self.problem.setText(str(error))
            self.problem.show()
            return
        self._leave()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc hides the offer."""
        if event.key() == Qt.Key.Key_Escape:
            self._leave()
        else:
            super().keyPressEvent(event)

    def _follow(self, _: Any = None) -> None:
        layer = self._layer
        if layer is None or is_instances(layer):
            self._leave()
            return
        label, count = int(layer.selected_label), len(shown_categories(layer))
        named = label <= count and bool(categories_of(layer))
        if named or label in (0, IGNORE_INDEX):
            self._leave()
        elif label != self._label or self.isHidden():
            self.offer(label)

    def _release(self) -> None:
        if self._layer is not None:
            self._layer.events.selected_label.disconnect(self._follow)
            self._layer.events.features.disconnect(self._follow)
        self._layer = None

    def _leave(self) -> None:
        self._label = 0
        self.hide()

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(4)
        for column, widget in enumerate((self.swatch, self.text, self.name, self.button)):
            grid.addWidget(widget, 0, column)
        grid.addWidget(self.problem, 1, 0, 1, 4)
        grid.setColumnStretch(2, 1)
