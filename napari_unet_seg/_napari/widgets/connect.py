"""Connections to napari's events that end with the widget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtWidgets import QWidget


def connect(widget: QWidget, *pairs: tuple[Any, Callable[..., object]]) -> None:
    """Connect emitters of napari to callbacks until the widget is destroyed.

    napari outlives a dock widget, and a callback to one that is gone is an error.
    """
    for emitter, callback in pairs:
        emitter.connect(callback)

    def disconnect() -> None:
        for emitter, callback in pairs:
            emitter.disconnect(callback)

    widget.destroyed.connect(disconnect)
