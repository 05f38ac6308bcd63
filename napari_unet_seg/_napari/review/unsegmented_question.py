"""The question before an empty slice is accepted that was never segmented."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet_seg._napari.widgets.question import ask
from napari_unet_seg.io.common.counting import counted, was_or_were

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtWidgets import QMessageBox, QWidget


def ask_unsegmented(parent: QWidget, number: int, *, on_yes: Callable[[], None]) -> QMessageBox:
    """Ask whether slices are to be accepted that were never segmented, without blocking.

    Parameters
    ----------
    parent : QWidget
        The widget that the question belongs to.
    number : int
        Number of the slices that were never segmented.
    on_yes : callable
        Called if the user accepts them.
    """
    return ask(
        parent,
        "Accept what was not segmented?",
        f"{counted(number, 'slice')} {was_or_were(number)} not segmented yet: no model has "
        "predicted a mask, and none was drawn.",
        "A network learns from accepted slices, and from an empty one that it holds nothing. This "
        "is asked once in a session.",
        yes="Accept as empty",
        no="Do not accept",
        answer=lambda accept: on_yes() if accept else None,
    )
