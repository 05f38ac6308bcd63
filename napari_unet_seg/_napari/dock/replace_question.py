"""The question before a mask replaces a file that it was not saved to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet_seg._napari.widgets.question import ask

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from qtpy.QtWidgets import QMessageBox, QWidget


def ask_to_replace(parent: QWidget, path: Path, *, on_yes: Callable[[], None]) -> QMessageBox:
    """Ask whether a file is to be replaced, without blocking.

    Parameters
    ----------
    parent : QWidget
        The widget that the question belongs to.
    path : Path
        The file or folder that exists.
    on_yes : callable
        Called if the user replaces the file.
    """
    return ask(
        parent,
        "Replace a file?",
        f"{path.name} exists, and this mask was not saved to it before.",
        f"It is in {path.parent}.",
        yes="Replace",
        no="Cancel",
        answer=lambda replace: on_yes() if replace else None,
    )
