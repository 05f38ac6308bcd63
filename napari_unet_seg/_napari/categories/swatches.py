"""Swatches: squares of a colour, for lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPen, QPixmap

from napari_unet_seg._napari.layers.colours import category_colour

if TYPE_CHECKING:
    from napari.layers import Labels

SWATCH = 14
"""Width and height of a swatch, in pixels."""
_OUTLINE = "#767c84"
"""A grey with the same contrast to napari's dark and light window."""

_LOCKED = "#d9902f"


def swatch(name: str) -> QIcon:
    """Return a square of a category's colour."""
    return colour_swatch(QColor(category_colour(name)))


def colour_swatch(colour: QColor) -> QIcon:
    """Return a square of a colour, which is the same where a list shows its row as chosen."""
    pixmap = QPixmap(SWATCH, SWATCH)
    pixmap.fill(colour)
    icon = QIcon(pixmap)
    icon.addPixmap(pixmap, QIcon.Mode.Selected)
    return icon


def outlined_swatch(colour: str) -> QPixmap:
    """Return a square of a colour with an outline, for colours close to the window's."""
    pixmap = QPixmap(SWATCH, SWATCH)
    pixmap.fill(QColor(_OUTLINE))
    painter = QPainter(pixmap)
    painter.fillRect(pixmap.rect().adjusted(1, 1, -1, -1), QColor(colour))
    painter.end()
    return pixmap


def lock_icon(*, locked: bool) -> QIcon:
    """Return a padlock: closed and bright, or open and grey."""
    pixmap = QPixmap(SWATCH, SWATCH)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    colour = QColor(_LOCKED if locked else _OUTLINE)
    painter.setPen(QPen(colour, 1.6))
    painter.drawArc(4 if locked else 7, 1, 6, 9, 0, 180 * 16)
    painter.fillRect(2, 6, 10, 7, colour)
    painter.end()
    icon = QIcon(pixmap)
    icon.addPixmap(pixmap, QIcon.Mode.Selected)
    return icon


def colour_of_label(layer: Labels, label: int) -> QColor:
    """Return the colour in which the canvas draws a label of a layer, before its opacity."""
    return QColor.fromRgbF(*map(float, np.ravel(layer.colormap.map(np.array([label])))[:3]))
