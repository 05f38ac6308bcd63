"""Notifications that show their whole text, and that the log keeps.

napari's notifications show one line until they are unfolded, and close after four seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.utils.notifications import Notification, notification_manager
from qtpy.QtCore import QRect, Qt, QThread
from qtpy.QtWidgets import QApplication

from napari_unet_seg import log
from napari_unet_seg._napari.widgets.fitted_text import fitted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Actions = Sequence[tuple[str, Callable[..., None]]]
    """Text of a button, and what a click calls with the notification's widget."""

_SHORTEST = 4000
_READING = 60
"""Milliseconds that a character takes to read."""
_MARGIN = 24
"""Pixels above and below the text."""
_UNFOLDED = "expanded"
"""napari's property of a notification that shows all lines."""


def show_error(text: str, actions: Actions = ()) -> None:
    """Show what failed, and what to do, with a button for each of the actions."""
    _show(text, "error", actions)


def show_warning(text: str) -> None:
    """Show what the user should check."""
    _show(text, "warning")


def show_info(text: str) -> None:
    """Show what has happened."""
    _show(text, "info")


def _show(text: str, severity: str, actions: Actions = ()) -> None:
    log.logger.info("%s shown: %s", severity, text)
    notification_manager.dispatch(Notification(text, severity, actions))
    app = QApplication.instance()
    if app is not None and QThread.currentThread() is app.thread():
        for widget in QApplication.allWidgets():
            # The class is not public; where it has another name, notifications stay folded.
            if type(widget).__name__ != "NapariQtNotification" or widget.property(_UNFOLDED):
                continue
            if widget.message.text() == text:  # not another one, of napari for example
                _unfold(widget, text)


def _unfold(toast: Any, text: str) -> None:
    """Show all lines of a notification, for as long as they take to read."""
    label = toast.message
    label.setElideMode(Qt.TextElideMode.ElideNone)
    label.setText(fitted(text))
    toast.setToolTip(text)
    toast.row1.activate()  # for the width of the label
    needed = label.heightForWidth(label.width())
    label.setMinimumHeight(needed)
    end = toast.geom_anim.endValue()
    height = max(end.height(), needed + _MARGIN)
    toast.geom_anim.setEndValue(
        QRect(end.x(), end.y() + end.height() - height, end.width(), height)
    )
    toast.setProperty(_UNFOLDED, True)
    toast.style().polish(toast.expand_button)
    toast.timer.setInterval(max(_SHORTEST, _READING * len(text)))
