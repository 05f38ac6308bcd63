"""Strokes on a slice, solved together after each of them; each solution is one step of undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_unet_seg._napari.layers.position import place_of
from napari_unet_seg._napari.tools.mark_layers import INSIDE, OUTSIDE, StrokeLayer
from napari_unet_seg._napari.tools.mark_operations import solving
from napari_unet_seg._napari.widgets import jobs

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QWidget

    from napari_unet_seg._napari.segment.probabilities import Likely
    from napari_unet_seg._napari.tools.mark_target import Target
    from napari_unet_seg.correct.change import Change
    from napari_unet_seg.correct.tools import Position

Array = np.ndarray[Any, np.dtype[Any]]


class _Solved(NamedTuple):
    strokes: Array
    """All that are on the slice."""
    is_step: bool
    """Whether the mask changed by them, so that there is a step to undo."""


class Scribbles(QObject):
    """Solves the slice on screen again when a stroke ends.

    Parameters
    ----------
    viewer : napari.Viewer
        Where the strokes are drawn.
    likely : Likely
        For what is known already; strokes do not wait for a prediction.
    target : callable
        Returns what strokes change now, None if they must not.
    put : callable
        Changes the mask of a target at a place.
    parent : QWidget
        With it, what still runs in a thread is let go.
    """

    left = Signal()
    """No more strokes are wanted."""

    def __init__(
        self,
        viewer: ViewerModel,
        likely: Likely,
        target: Callable[[], Target | None],
        put: Callable[[Target, Position, Change], None],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._likely, self._target, self._put = viewer, likely, target, put
        self._layer = StrokeLayer(viewer, parent)
        self._layer.left.connect(self.left)
        self._layer.drawn.connect(self.solve)
        self._layer.undo_wanted.connect(self.undo)
        self._layer.redo_wanted.connect(self.redo)
        self._job: jobs.Job | None = None
        self._mask: Any = None
        self._place: Position = ()
        self._done: list[_Solved] = []
        self._undone: list[_Solved] = []

    def begin(self, target: Target, sign: int) -> None:
        """Take strokes of a kind from now on; those of the slice stay."""
        if self._layer.layer is None:
            self._mask = target.mask
            self._layer.show(target.mask)
            self._start_slice()
        self._layer.choose(sign)

    def end(self) -> None:
        """Take no more strokes; what is being solved still comes."""
        self._layer.hide()
        self._mask = None

    def follow(self) -> None:
        """Forget the strokes of a slice that is not on screen any more."""
        if self._mask is not None and place_of(self._viewer, self._mask) != self._place:
            self._layer.draw(np.zeros_like(self._strokes), self._place)
            self._start_slice()

    def solve(self) -> None:
        """Solve with what is drawn by now, once the last solution is there."""
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
        """Take the last solution back, and forget its stroke."""
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
        """Bring back what was taken back last."""
        if self._job is None and self._undone:
            last = self._undone.pop()
            self._done.append(last)
            self._show(last, self._mask.redo)
        elif self._job is None:
            self._mask.redo()

    @property
    def _strokes(self) -> Array:
        """Those that the last solution is of."""
        return self._done[-1].strokes if self._done else self._empty

    def _start_slice(self) -> None:
        self._place = place_of(self._viewer, self._mask)
        self._empty = np.zeros(self._mask.data.shape[-2:], np.uint8)
        self._done, self._undone = [], []

    def _show(self, moved: _Solved, step: Callable[[], None]) -> None:
        self._layer.draw(self._strokes, self._place)
        if moved.is_step:
            step()

    def _run(self, target: Target, strokes: Array) -> None:
        place, done = self._place, self._done
        labels = np.array(target.mask.data[place])
        work = solving(
            target.aim,
            target.source,
            place,
            self._likely.known(target.source, place),
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

        self._job = job = jobs.run(work, on_event=take, on_done=go_on, name="Solving strokes")
        self.destroyed.connect(job.abandon)
