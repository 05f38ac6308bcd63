"""A button that is as wide as its text needs."""

from __future__ import annotations

from qtpy.QtCore import QSize
from qtpy.QtWidgets import QPushButton, QSizePolicy, QWidget

_PADDING, _ARROW = 16, 14
"""Pixels beside the text, and for the arrow of a menu."""


class SmallButton(QPushButton):
    """A button whose width does not depend on the style.

    Without napari's style a button is as wide as one of a dialog, and napari takes the width that
    a new dock has before it is styled for its least width.

    Parameters
    ----------
    text, tip : str
        The text and the tooltip.
    checkable : bool
        Whether the button stays down.
    """

    def __init__(
        self,
        text: str = "",
        tip: str = "",
        *,
        checkable: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(text, parent)
        self.setToolTip(tip)
        self.setCheckable(checkable)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Return the size that the text needs."""
        arrow = _ARROW if self.menu() is not None else 0
        width = self.fontMetrics().horizontalAdvance(self.text())
        return QSize(width + _PADDING + arrow, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Return the size that the text needs."""
        return self.sizeHint()
