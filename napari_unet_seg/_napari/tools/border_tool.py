"""Redraw border: a line along the true border, which the mask follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_unet_seg._napari.tools.drawing_layer import LineLayer
from napari_unet_seg._napari.widgets import jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QWidget

    from napari_unet_seg._napari.tools.point.target import PromptTarget
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.correct.change import Change
    from napari_unet_seg.correct.tools import ToolSettings
    from napari_unet_seg.io.common.places import Part


class BorderTool(QObject):
    """Takes lines from the mouse, and moves the border of the category to them.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer in which lines are drawn.
    target : callable
        Returns the category to change, None if it must not change.
    put : callable
        Changes the mask of a target at a place, and says what was done.
    parent : QWidget
        The widget with which jobs and connections end.
    """

    ended = Signal()
    """The user has stopped drawing."""

    def __init__(
        self,
        viewer: ViewerModel,
        target: Callable[[], PromptTarget | None],
        put: Callable[[PromptTarget, Part, Change, str], None],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._find_target, self._put = target, put
        self._target: PromptTarget | None = None
        self.layer = LineLayer(viewer, parent)
        self.layer.drawn.connect(self.take_line)
        self.layer.ended.connect(self.ended)
        self.layer.undo_wanted.connect(lambda: self._target and self._target.mask.undo())
        self.layer.redo_wanted.connect(lambda: self._target and self._target.mask.redo())

    def begin(self, target: PromptTarget) -> None:
        """Take lines for a category."""
        if self.layer.layer is None:
            self.layer.show(target.mask)
        self.aim(target)

    def aim(self, target: PromptTarget | None) -> None:
        """Go on with another category; None if it must not change now."""
        self._target = target

    def end(self) -> None:
        """Take no more lines; a running computation still changes the mask."""
        self._target = None
        self.layer.hide()

    def take_line(self) -> None:
        """Move the border of the mask to the line that was drawn last."""
        line, target = self.layer.take(), self._find_target()
        if line is None or target is None:
            return
        path, place = line
        labels = np.array(target.mask.data[place])

        def put(change: Change) -> None:
            change = change.where_equal(labels, target.mask.data[place])
            self._put(target, place, change, f"Redrew the border of {target.category.name}")

        events = follow_line(target.settings, labels, path)
        job = jobs.run(events, on_event=put, name="Redrawing the border")
        self.destroyed.connect(job.abandon)


def follow_line(settings: ToolSettings, labels: Array, path: Array) -> Generator[Change, Any, None]:
    """Move the border of the category on a slice to a line; yield the change."""
    from napari_unet_seg.correct.border import redraw_border

    yield settings.change(labels, redraw_border(labels == settings.value, path))
