"""Dock widgets that fit low screens."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

_SCROLL_BAR = 16


def fill_scrolling(widget: QWidget, content: QWidget, lowest: int) -> None:
    """Put all of a widget's content into a scroll area.

    Parameters
    ----------
    widget, content
        The dock widget, and what it shows.
    lowest
        Height in pixels below which it does not shrink.
    """
    area = QScrollArea()
    area.setWidget(content)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setMinimumWidth(content.minimumSizeHint().width() + _SCROLL_BAR)
    area.setMinimumHeight(lowest)
    layout = QVBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(area)
