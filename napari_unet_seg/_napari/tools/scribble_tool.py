"""Scribbles on a slice: after each stroke all of them are solved, as one step of undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_unet_seg._napari.layers.position import shown_part
from napari_unet_seg._napari.tools.prompt_layers import INSIDE, OUTSIDE, StrokeLayer
from napari_unet_seg._napari.tools.prompt_operations import solve_strokes
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg.io.common.places import of_part

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QWidget

    from napari_unet_seg._napari.segment.probabilities import CategoryProbabilities
    from napari_unet_seg._napari.tools.prompt_target import PromptTarget
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.correct.change import Change
    from napari_unet_seg.io.common.places import Part


class _Solved(NamedTuple):
    strokes: Array
    """All strokes on the slice."""
    is_step: bool
    """Whether the mask changed, so that its history has a step for these strokes."""


class ScribbleTool(QObject):
    """Segments the slice on screen again after each stroke.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer in which strokes are drawn.
    probabilities : CategoryProbabilities
        The probabilities to use if available; strokes do not wait for a prediction.
    target : callable
        Returns the category to change, None if it must not change.
    put : callable
        Changes the mask of a target at a place.
    parent : QWidget
        The widget with which jobs and connections end.
    """

    ended = Signal()
    """The user has stopped drawing."""

    def __init__(
        self,
        viewer: ViewerModel,
        probabilities: CategoryProbabilities,
        target: Callable[[], PromptTarget | None],
        put: Callable[[PromptTarget, Part, Change], None],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._probabilities = viewer, probabilities
        self._target, self._put = target, put
        self._layer = StrokeLayer(viewer, parent)
        self._layer.ended.connect(self.ended)
        self._layer.drawn.connect(self.solve)
        self._layer.undo_wanted.connect(self.undo)
        self._layer.redo_wanted.connect(self.redo)
        self._job: jobs.Job | None = None
        self._mask: Any = None
        self._place: Part = ()
        self._done: list[_Solved] = []
        self._undone: list[_Solved] = []

    def begin(self, target: PromptTarget, sign: int) -> None:
        """Start to draw strokes inside or outside; strokes already on the slice stay."""
        if self._layer.layer is None:
            self._mask = target.mask
            self._layer.show(target.mask)
            self._start_slice()
        self._layer.choose(sign)

    def end(self) -> None:
        """Stop drawing; a running computation still changes the mask."""
        self._layer.hide()
        self._mask = None

    def follow(self) -> None:
        """Remove the strokes if another slice is on screen."""
        if self._mask is not None and shown_part(self._viewer, self._mask) != self._place:
            self._layer.draw(np.zeros_like(self._strokes), self._place)
            self._start_slice()

    def solve(self) -> None:
        """Segment the slice with all its strokes, unless a computation is still running."""
        if self._mask is None or self._job is not None:
            return
        strokes = self._layer.plane(self._place)
        if np.array_equal(strokes, self._strokes):
            return
        target = self._target()
        if target is None:
            self._layer.draw(self._strokes, self._place)
        else:
            self._run(target, strokes)

    def undo(self) -> None:
        """Undo the last stroke together with its change of the mask."""
        if self._job is not None:
            self._job.quit()
            self._layer.draw(self._strokes, self._place)
        elif self._done:
            last = self._done.pop()
            self._undone.append(last)
            self._show(last, self._mask.undo)
        else:
            self._mask.undo()

    def redo(self) -> None:
        """Redo the last undone stroke."""
        if self._job is None and self._undone:
            last = self._undone.pop()
            self._done.append(last)
            self._show(last, self._mask.redo)
        elif self._job is None:
            self._mask.redo()

    @property
    def _strokes(self) -> Array:
        """The strokes of the last change of the mask."""
        return self._done[-1].strokes if self._done else self._empty

    def _start_slice(self) -> None:
        self._place = shown_part(self._viewer, self._mask)
        self._empty = np.zeros(of_part(self._mask.data.shape, self._place), np.uint8)
        self._done, self._undone = [], []

    def _show(self, moved: _Solved, move_history: Callable[[], None]) -> None:
        self._layer.draw(self._strokes, self._place)
        if moved.is_step:
            move_history()

    def _run(self, target: PromptTarget, strokes: Array) -> None:
        place, done = self._place, self._done
        labels = np.array(target.mask.data[place])
        events = solve_strokes(
            target.settings,
            target.source,
            place,
            self._probabilities.available(target.source, place),
            labels,
            strokes == INSIDE,
            strokes == OUTSIDE,
        )

        def take(change: Change) -> None:
            change = change.where_equal(labels, target.mask.data[place])
            done.append(_Solved(strokes, bool(change.values.size)))
            self._undone = []
            self._put(target, place, change)
            go_on()

        def go_on() -> None:
            if self._job is job:
                self._job = None
                self.solve()

        self._job = job = jobs.run(events, on_event=take, on_done=go_on, name="Applying strokes")
        self.destroyed.connect(job.abandon)
