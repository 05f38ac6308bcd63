"""The question before a model is used that a round of fine-tuning made worse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet_seg._napari.fine_tune.messages import dice_on_held_out
from napari_unet_seg._napari.widgets.question import ask

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
    kind, where = ("network", " in Point") if finished.prompts else ("model", "")
    return ask(
        parent,
        f"Use the {kind} of this round{where}?",
        f"Round {finished.number} made the {kind} worse: {dice_on_held_out(finished)}.",
        "The round is stored in the session either way.",
        yes="Use it all the same",
        no=f"Keep the present {kind}",
        answer=answer,
    )
