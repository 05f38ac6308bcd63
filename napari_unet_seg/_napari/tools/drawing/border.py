"""Redraw border: a line along the true border, which the mask follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg._napari.tools.drawing.layer import LineLayer
from napari_unet_seg._napari.tools.drawing.tool import DrawingTool
from napari_unet_seg._napari.widgets import jobs

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QWidget

    from napari_unet_seg._napari.tools.drawing.tool import FindTarget, Put
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.correct.change import Change
    from napari_unet_seg.correct.tools import ToolSettings


class BorderTool(DrawingTool):
    """Takes lines from the mouse, and moves the border of the category to them.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer in which lines are drawn.
    target, put, parent
        As those of `DrawingTool`.
    """

    layer: LineLayer

    def __init__(self, viewer: ViewerModel, target: FindTarget, put: Put, parent: QWidget) -> None:
        super().__init__(LineLayer(viewer, parent), target, put, parent)
        self.layer.drawn.connect(self.take_line)

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
