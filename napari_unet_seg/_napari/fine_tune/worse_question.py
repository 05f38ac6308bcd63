"""The question before a model is used that a round of fine-tuning made worse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMessageBox, QWidget

from napari_unet_seg.io.common.counting import counted
from napari_unet_seg.session.model_lineage import change_of_dice

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_unet_seg.session.stored.record import Round


def ask(parent: QWidget, finished: Round, answer: Callable[[bool], None]) -> QMessageBox:
    """Ask whether the model of a round is to be used, without blocking.

    Parameters
    ----------
    parent : QWidget
        The widget that the question belongs to.
    finished : Round
        The round, which is worse on the held-out slices than the model before.
    answer : callable
        Called with whether the model is to be used.
    """
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowTitle("Use the model of this round?")
    box.setIcon(QMessageBox.Icon.Question)
    slices = counted(finished.held_out, "held-out slice")
    change = change_of_dice(finished.before, finished.after)
    box.setText(f"Round {finished.number} made the model worse: Dice on {slices} {change}.")
    box.setInformativeText("The round is stored in the session either way.")
    use = box.addButton("Use it all the same", QMessageBox.ButtonRole.AcceptRole)
    keep = box.addButton("Keep the present model", QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(keep)
    box.setEscapeButton(keep)
    box.finished.connect(lambda _: answer(box.clickedButton() is use))
    box.open()
    return box
