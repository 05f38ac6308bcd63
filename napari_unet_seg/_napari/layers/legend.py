"""The legend of a mask: colour, name and label of each category."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap
from qtpy.QtWidgets import QAbstractButton, QButtonGroup, QToolButton, QVBoxLayout, QWidget

from napari_unet_seg._napari.layers.colours import category_colour
from napari_unet_seg._napari.layers.conversion import categories_of
from napari_unet_seg._napari.layers.instances import (
    category_of,
    is_instances,
    rename_instance,
    start_instance,
)
from napari_unet_seg._napari.widgets.dock_widget import connect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Labels
    from napari.viewer import ViewerModel

    from napari_unet_seg.config import Category

_SWATCH = 14
_OUTLINE = "#767c84"
"""A grey with the same contrast to napari's dark and light window."""
_CHOSEN = (
    "QToolButton { padding: 1px 4px; border: 1px solid transparent; border-radius: 3px }"
    "QToolButton:checked { border-color: #8a9199 }"
)
"""napari's style does not show the checked state; this grey shows in both of its themes."""


def swatch(name: str) -> QIcon:
    """Return a square of a category's colour."""
    pixmap = QPixmap(_SWATCH, _SWATCH)
    pixmap.fill(QColor(category_colour(name)))
    return QIcon(pixmap)


def outlined_swatch(colour: str) -> QPixmap:
    """Return a square of a colour with an outline, for colours close to the window's."""
    pixmap = QPixmap(_SWATCH, _SWATCH)
    pixmap.fill(QColor(_OUTLINE))
    painter = QPainter(pixmap)
    painter.fillRect(pixmap.rect().adjusted(1, 1, -1, -1), QColor(colour))
    painter.end()
    return pixmap


class CategoryLegend(QWidget):
    """Shows the categories of the active mask; a click selects a category's label for the brush.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer whose active mask is shown; while an image is active, the last mask is shown.
    """

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._layer: Labels | None = None
        self._highest = 0
        self._group = QButtonGroup(self)
        self._group.idClicked.connect(self._choose)
        self._rows = layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        self.hide()
        connect(
            self,
            (viewer.layers.selection.events.active, self._follow),
            (viewer.layers.events.removed, self._on_removed),
        )
        self.destroyed.connect(lambda: self._release())
        self._follow()

    @property
    def layer(self) -> Labels | None:
        """The mask whose categories are shown."""
        return self._layer

    def buttons(self) -> list[QAbstractButton]:
        """The buttons, one for each category."""
        return list(self._group.buttons())

    def names(self) -> list[str]:
        """The texts of the buttons."""
        return [button.text() for button in self.buttons()]

    def _follow(self, event: Any = None) -> None:
        layer = self._viewer.layers.selection.active
        if layer is None or layer is self._layer or not hasattr(layer, "selected_label"):
            return
        self._release()
        categories = categories_of(layer)
        if categories:
            self._layer, self._highest = layer, 0
            layer.events.selected_label.connect(self._mark)
        self._fill(categories)

    def _on_removed(self, event: Any) -> None:
        if event.value is self._layer:
            self._release()
            self._fill(())

    def _release(self) -> None:
        if self._layer is not None:
            self._layer.events.selected_label.disconnect(self._mark)
        self._layer = None

    def _fill(self, categories: Sequence[Category]) -> None:
        for button in self.buttons():
            self._group.removeButton(button)
            self._rows.removeWidget(button)
            button.deleteLater()
        for value, category in enumerate(categories, 1):
            self._add(value, category)
        self.setVisible(bool(categories))
        self._mark()

    def _add(self, value: int, category: Category) -> None:
        button = QToolButton()
        button.setObjectName("category")
        if is_instances(self._layer):
            button.setText(f" {category.name}")
            button.setToolTip(
                f"Start a new object of category {category.name}, or give an unnamed label this "
                f"category; right-click: change the selected object to {category.name}"
            )
            button.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
            button.customContextMenuRequested.connect(lambda _: self._rename(category))
        else:
            button.setText(f" {category.name}  (label {value})")
            button.setToolTip(f"Paint {category.name} (label {value})")
        button.setIcon(swatch(category.name))
        button.setIconSize(QSize(_SWATCH, _SWATCH))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setCheckable(True)
        button.setStyleSheet(_CHOSEN)
        button.setAutoRaise(True)
        self._group.addButton(button, value)
        self._rows.addWidget(button)

    def _mark(self, event: Any = None) -> None:
        if self._layer is None:
            return
        self._highest = max(self._highest, self._layer.selected_label)
        chosen = self._row(self._layer)
        self._group.setExclusive(False)
        for button in self.buttons():
            button.setChecked(self._group.id(button) == chosen)
        self._group.setExclusive(True)

    def _row(self, layer: Labels) -> int:
        """Return the row of the selected label's category, from 1; 0 if it has none."""
        if not is_instances(layer):
            return int(layer.selected_label)
        category = category_of(layer, layer.selected_label)
        return categories_of(layer).index(category) + 1 if category else 0

    def _rename(self, category: Category) -> None:
        if self._layer is not None and category_of(self._layer, self._layer.selected_label):
            rename_instance(self._layer, category)
            self._mark()

    def _choose(self, value: int) -> None:
        layer = self._layer
        if layer is not None and is_instances(layer):
            # A label above all labels in the table may already be painted, without a category.
            start_instance(layer, categories_of(layer)[value - 1], self._highest)
            self._mark()
        elif layer is not None:
            layer.selected_label = value
