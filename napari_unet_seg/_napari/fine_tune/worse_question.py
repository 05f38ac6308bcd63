"""The question before a model is used that a round of fine-tuning made worse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet_seg._napari.widgets.question import ask
from napari_unet_seg.io.common.counting import counted
from napari_unet_seg.session.model_lineage import change_of_dice

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtWidgets import QMessageBox, QWidget

    from napari_unet_seg.session.stored.record import Round


def ask_to_use(parent: QWidget, finished: Round, answer: Callable[[bool], None]) -> QMessageBox:
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
    slices = counted(finished.held_out, "held-out slice")
    change = change_of_dice(finished.before, finished.after)
    return ask(
        parent,
        "Use the model of this round?",
        f"Round {finished.number} made the model worse: Dice on {slices} {change}.",
        "The round is stored in the session either way.",
        yes="Use it all the same",
        no="Keep the present model",
        answer=answer,
    )
