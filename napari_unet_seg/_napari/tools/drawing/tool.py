"""What all tools have that take drawings from the mouse: a layer, a category, and a way to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Labels
    from qtpy.QtWidgets import QWidget

    from napari_unet_seg._napari.tools.drawing.layer import DrawingLayer
    from napari_unet_seg._napari.tools.point.target import PromptTarget
    from napari_unet_seg.correct.change import Change
    from napari_unet_seg.io.common.places import Part

    FindTarget = Callable[[], PromptTarget | None]
    """Returns the category to change, None if it must not change."""
    Put = Callable[[PromptTarget, Part, Change, str], None]
    """Changes the mask of a target at a place, and says what was done."""


class DrawingTool(QObject):
    """Takes drawings from the mouse for a category, between `begin` and `end`.

    Parameters
    ----------
    layer : DrawingLayer
        The layer that is drawn on.
    target : callable
        Returns the category to change, None if it must not change.
    put : callable
        Changes the mask of a target at a place, and says what was done.
    parent : QWidget
        The widget with which jobs and connections end.
    """

    ended = Signal()
    """The user has stopped drawing."""
    layer: DrawingLayer

    def __init__(self, layer: DrawingLayer, target: FindTarget, put: Put, parent: QWidget) -> None:
        super().__init__(parent)
        self.layer = layer
        self._find_target, self._put = target, put
        self._target: PromptTarget | None = None
        layer.ended.connect(self.ended)
        layer.undo_wanted.connect(lambda: self.mask and self.mask.undo())
        layer.redo_wanted.connect(lambda: self.mask and self.mask.redo())

    @property
    def mask(self) -> Labels | None:
        """The mask that is drawn on."""
        return self._target.mask if self._target else None

    def begin(self, target: PromptTarget) -> None:
        """Take drawings for a category."""
        if self.layer.layer is None:
            self.layer.show(target.mask)
        self.aim(target)

    def aim(self, target: PromptTarget | None) -> None:
        """Go on with another category; None if it must not change now."""
        self._target = target

    def end(self) -> None:
        """Take no more drawings; the last ones still change the mask."""
        self._target = None
        self.layer.hide()
