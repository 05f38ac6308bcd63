"""The question before an empty slice is accepted that was never segmented."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMessageBox, QWidget

from napari_unet_seg.io.common.counting import counted, was_or_were

if TYPE_CHECKING:
    from collections.abc import Callable


def ask(parent: QWidget, number: int, *, on_yes: Callable[[], None]) -> QMessageBox:
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
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowTitle("Accept what was not segmented?")
    box.setIcon(QMessageBox.Icon.Question)
    box.setText(
        f"{counted(number, 'slice')} {was_or_were(number)} not segmented yet: no model has "
        "predicted a mask, and none was drawn."
    )
    box.setInformativeText(
        "A network learns from accepted slices, and from an empty one that it holds nothing. This "
        "is asked once in a session."
    )
    accept = box.addButton("Accept as empty", QMessageBox.ButtonRole.AcceptRole)
    cancel = box.addButton("Do not accept", QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(cancel)
    box.setEscapeButton(cancel)
    accept.clicked.connect(lambda: on_yes())
    box.open()
    return box
