"""The log of the window: also the errors that napari shows."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from napari.utils.notifications import notification_manager

from napari_unet_seg import log

if TYPE_CHECKING:
    from napari.utils.notifications import Notification


def start() -> None:
    """Start the log, and keep the traces of the errors of this package that napari shows."""
    log.start()
    # A second connection of the same function is ignored.
    notification_manager.notification_ready.connect(_keep_error)


def _keep_error(shown: Notification) -> None:
    error = getattr(shown, "exception", None)
    if error is None:
        return
    places = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    if any(log.PACKAGE in place for place in places):
        log.logger.error("napari shows an error", exc_info=error)
