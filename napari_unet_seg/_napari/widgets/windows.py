"""The search for the dock or the window that contains a widget."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qtpy.QtCore import QObject


def ancestor(child: QObject | None, kind: type[QObject]) -> QObject | None:
    """Return the nearest object of a kind among a child and its parents; None if there is none."""
    while child is not None and not isinstance(child, kind):
        child = child.parent()
    return child
