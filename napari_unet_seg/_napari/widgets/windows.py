"""The search for the dock or the window that contains a widget, or that a dialog belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QApplication, QMainWindow, QWidget

if TYPE_CHECKING:
    from qtpy.QtCore import QObject


def ancestor(child: QObject | None, kind: type[QObject]) -> QObject | None:
    """Return the nearest object of a kind among a child and its parents; None if there is none."""
    while child is not None and not isinstance(child, kind):
        child = child.parent()
    return child


def dialog_parent() -> QWidget | None:
    """Return the window that a dialog belongs to, whose theme it then has; None without one.

    No window may be active, while a file is dropped from another program for example.
    """
    active = QApplication.activeWindow()
    shown = (w for w in QApplication.topLevelWidgets() if isinstance(w, QMainWindow))
    return active or next((w for w in shown if w.isVisible()), None)
