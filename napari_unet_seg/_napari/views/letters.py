"""The letters L, R, A, P, S and I at the edges of the canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QLabel, QWidget

from napari_unet_seg._napari.views.planes import EdgeLetters

if TYPE_CHECKING:
    from qtpy.QtCore import QPoint

_MARGIN = 6
_STYLE = (
    "color: white; background: rgba(0, 0, 0, 150); border-radius: 4px; padding: 1px 5px;"
    "font-weight: bold; font-size: 15px;"
)
"""Readable over grey values of any brightness, and over a white canvas."""


class CanvasLetters(QObject):
    """Labels over a canvas, in the middle of its four edges.

    Parameters
    ----------
    canvas : QWidget
        The widget that napari draws in.
    parent : QObject
        The object with which the letters end.
    """

    def __init__(self, canvas: QWidget, parent: QObject) -> None:
        super().__init__(parent)
        labels = {edge: _label(edge, canvas) for edge in EdgeLetters._fields}
        self._labels = labels
        self._canvas = canvas
        canvas.installEventFilter(self)
        # Whichever goes first: the labels are deleted with the canvas.
        canvas.destroyed.connect(labels.clear)
        self.destroyed.connect(lambda: [label.deleteLater() for label in labels.values()])

    def show_letters(self, letters: EdgeLetters) -> None:
        """Show the letters that are not empty."""
        for edge, label in self._labels.items():
            letter = getattr(letters, edge)
            label.setText(letter)
            label.adjustSize()
            label.setVisible(bool(letter))
        self._arrange()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Keep the letters at the edges when the canvas changes its size."""
        if event is not None and event.type() == QEvent.Type.Resize:
            self._arrange()
        return False

    def _arrange(self) -> None:
        if not self._labels:
            return
        area = self._canvas.rect().adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        for edge, label in self._labels.items():
            box = label.rect()
            box.moveCenter(area.center())
            if edge in ("left", "right"):
                box.moveLeft(area.left() if edge == "left" else area.right() - box.width() + 1)
            else:
                box.moveTop(area.top() if edge == "top" else area.bottom() - box.height() + 1)
            corner: QPoint = box.topLeft()
            label.move(corner)


def _label(edge: str, canvas: QWidget) -> QLabel:
    label = QLabel(canvas)
    label.setObjectName(f"letter {edge}")
    label.setStyleSheet(_STYLE)
    label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    label.hide()
    return label
