"""The question whether masks are meant that look as if they were not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet_seg._napari.widgets.question import ask

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtWidgets import QWidget


def ask_about_doubts(parent: QWidget, doubts: str, *, on_yes: Callable[[], None]) -> None:
    """Ask whether to train all the same, without blocking.

    Parameters
    ----------
    parent : QWidget
        The widget that the question belongs to.
    doubts : str
        Why the masks can hardly be meant.
    on_yes : callable
        Called if the user confirms the masks.
    """
    ask(
        parent,
        "Train on these masks?",
        doubts,
        "Nothing has been trained yet. Are the masks as they are meant?",
        yes="Train all the same",
        no="Do not train",
        answer=lambda train: on_yes() if train else None,
    )
