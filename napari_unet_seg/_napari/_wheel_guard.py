"""Editors that a scrolled form passes by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject, Qt

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget


class _WheelGuard(QObject):
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Refuse the wheel, so that Qt offers it to the parent."""
        if event.type() != QEvent.Type.Wheel:
            return False
        event.ignore()
        return True


def leave_wheel_to_parent(editor: QWidget) -> None:
    """Let the wheel scroll what is around an editor, which neither changes nor takes the focus."""
    editor.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    editor.installEventFilter(_WheelGuard(editor))
