"""Where a widget stands in its window."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qtpy.QtCore import QObject


def ancestor(child: QObject | None, kind: type[QObject]) -> QObject | None:
    """Return the nearest object of a kind that a child stands in, itself included; None if none."""
    while child is not None and not isinstance(child, kind):
        child = child.parent()
    return child
