"""Parts of the form of the correction tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QPushButton,
    QRadioButton,
    QSizePolicy,
)
from superqt import QCollapsible

from napari_unet_seg._napari.widgets.keys import label_of
from napari_unet_seg._napari.widgets.settings import recall, remember

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

    from napari_unet_seg._napari.tools.tool_descriptions import ToolDescription

_MORE = "tools/more"
"""Key for whether the further tools are shown."""


def row(*widgets: QWidget, stretched: QWidget | None = None) -> QHBoxLayout:
    """Return a row of widgets, of which one takes the room that is left."""
    layout = QHBoxLayout()
    layout.setSpacing(4)
    for widget in widgets:
        layout.addWidget(widget, int(widget is stretched))
    return layout


def combo(tip: str) -> QComboBox:
    """Return an empty list to choose from, as wide as there is room."""
    box = QComboBox()
    box.setToolTip(tip)
    box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return box


def radio(text: str, tip: str) -> QRadioButton:
    """Return one of several choices."""
    button = QRadioButton(text)
    button.setToolTip(tip)
    return button


def tool_button(tool: ToolDescription) -> QPushButton:
    """Return the button of a tool."""
    return push(tool.text, f"{tool.tip} (undo with Ctrl+Z)")


def push(text: str, tip: str) -> QPushButton:
    """Return a button."""
    button = QPushButton(text)
    button.setToolTip(tip)
    return button


def border_button() -> QPushButton:
    """Return the button that is down while borders are redrawn."""
    key = label_of("border")
    tip = f"Drag along the true border; the mask follows (key {key}; Escape ends, Ctrl+Z undoes)"
    button = push(f"Redraw border  [{key}]", tip)
    button.setCheckable(True)
    return button


def fold(inside: QWidget) -> QCollapsible:
    """Return the further tools folded, or open if the user has left them open."""
    more = QCollapsible("More", expandedIcon="▾", collapsedIcon="▸")
    more.setDuration(0)
    more.toggleButton().setToolTip(
        "Grow, shrink, smooth, fill, gaps, split, keep largest, remove small, interpolate, copy, "
        "redraw the border, brush within greys, outline boxes, merge, threshold"
    )
    more.addWidget(inside)
    if recall(_MORE, False):
        more.expand(animate=False)
    more.toggled.connect(lambda is_open: remember(_MORE, is_open))
    return more


def grey_brush_box() -> QCheckBox:
    """Return the switch of the brush that keeps within a range of grey values."""
    box = QCheckBox("Brush within greys")
    box.setToolTip(
        "Strokes of napari's brush (key 2) paint only where the image is about as bright as under "
        "their first press; the rest is put back when the stroke ends"
    )
    return box
