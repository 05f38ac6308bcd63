"""Rough marks at work on a mask: boxes that become outlines, strokes and lines for its border."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_unet_seg._napari.layers.position import off_screen, place_of
from napari_unet_seg._napari.segment.probabilities import Likely
from napari_unet_seg._napari.tools.mark_bar import MARKS
from napari_unet_seg._napari.tools.mark_layers import INSIDE, OUTSIDE, BoxLayer, LineLayer
from napari_unet_seg._napari.tools.mark_operations import (
    outline_parts,
    outlining,
    redrawing,
    replace_in_box,
)
from napari_unet_seg._napari.tools.scribbles import Scribbles
from napari_unet_seg._napari.tools.steps import Step
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg._napari.widgets.dock_widget import connect
from napari_unet_seg._napari.widgets.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Labels
    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QWidget

    from napari_unet_seg._napari.tools.mark_operations import Array
    from napari_unet_seg._napari.tools.mark_target import Target
    from napari_unet_seg._napari.tools.steps import Steps
    from napari_unet_seg.correct.change import Change
    from napari_unet_seg.correct.tools import Operation, Position

_SIGNS = {"inside": INSIDE, "outside": OUTSIDE}


class MarkTools(QObject):
    """Lets one kind of mark be drawn at a time, and does what they say.

    Parameters
    ----------
    viewer : napari.Viewer
        Where they are drawn.
    steps : Steps
        Does the changes.
    target : callable
        Returns what they change now; None, having said why, if they must not.
    parent : QWidget
        With it, what still runs in a thread is let go.
    """

    chosen = Signal(str)
    """The kind of mark that is drawn from now on, empty for none."""
    solved = Signal()
    """What a box or the strokes say is in the mask."""

    def __init__(
        self,
        viewer: ViewerModel,
        steps: Steps,
        target: Callable[[], Target | None],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._steps, self._target = viewer, steps, target
        self._mask: Labels | None = None
        self._name = ""
        self._keys = Keys(viewer)
        self._likely = likely = Likely()
        self._boxes, self._lines = BoxLayer(viewer, parent), LineLayer(viewer, parent)
        self._drawn_on = {"box": self._boxes, "border": self._lines}
        self._scribbles = Scribbles(viewer, likely, target, self._put_solved, parent)
        self._boxes.drawn.connect(self.take_box)
        self._lines.drawn.connect(self.take_line)
        self._scribbles.left.connect(self.end)
        for layer in self._drawn_on.values():
            layer.undo_wanted.connect(lambda: self._mask and self._mask.undo())
            layer.redo_wanted.connect(lambda: self._mask and self._mask.redo())
            layer.left.connect(self.end)
        dims = viewer.dims.events
        connect(parent, (dims.point, self._on_dims), (dims.ndisplay, self._on_dims))
        connect(parent, (dims.order, self._on_dims))
        self.destroyed.connect(lambda: likely.close())

    def show_mask(self, mask: Labels | None) -> None:
        """Change this mask from now on."""
        self.end()
        self._mask = mask

    def bind_keys(self) -> None:
        """Let the keys of the marks work, whichever layer is active."""
        self._keys.bind({mark.key: partial(self.toggle, name) for name, mark in MARKS.items()})

    def unbind_keys(self) -> None:
        """Give the keys back, and let no more marks be drawn."""
        self._keys.unbind()
        self.end()

    def choose(self, name: str) -> None:
        """Let marks of a kind be drawn from now on, one of `MARKS`; none if empty."""
        target = self._target() if name else None
        if target is not None and (problem := off_screen(self._viewer, target.mask)):
            self._steps.told.emit(problem)
            target = None
        self._name = name if target is not None else ""
        for kind, layer in self._drawn_on.items():
            if kind != self._name:
                layer.hide()
        if self._name not in _SIGNS:
            self._scribbles.end()
        if target is not None:
            self._begin(target)
        self.chosen.emit(self._name)

    def toggle(self, name: str) -> None:
        """Let marks of a kind be drawn, or no more."""
        self.choose("" if name == self._name else name)

    def end(self) -> None:
        """Let no more marks be drawn."""
        if self._name:
            self.choose("")

    def take_box(self) -> None:
        """Outline what the box that was drawn last encloses."""
        box, target = self._boxes.take(), self._target()
        if box is None or target is None:
            return
        place = place_of(self._viewer, target.mask)
        name = target.category.name

        def put(result: tuple[Array, bool]) -> None:
            outline, by_model = result
            said = f"Outlined {name}" if by_model else f"Outlined {name} by grey values alone"
            self._put(self._step(target, said, replace_in_box(target.aim, outline, box)), place)

        self._steps.told.emit(f"Outlining {name} …")
        work = outlining(target.source, self._likely, place, box)
        job = jobs.run(work, on_event=put, name="Outlining")
        self.destroyed.connect(job.abandon)

    def take_line(self) -> None:
        """Let the border follow the line that was drawn last."""
        line, target = self._lines.take(), self._target()
        if line is None or target is None:
            return
        path, place = line
        labels = np.array(target.mask.data[place])

        def put(change: Change) -> None:
            change = change.where_equal(labels, target.mask.data[place])
            said = f"Redrew the border of {target.category.name}"
            self._put(self._step(target, said, lambda *_: change), place)

        work = redrawing(target.aim, labels, path)
        job = jobs.run(work, on_event=put, name="Redrawing the border")
        self.destroyed.connect(job.abandon)

    def outline_parts(self, whole: bool) -> None:
        """Take each part of the category for a box, in the slice on screen or in all."""
        self.end()
        target = self._target()
        if target is not None:
            work = outline_parts(target.aim, target.source, self._likely)
            step = self._step(target, f"Outlined the boxes of {target.category.name}", work)
            place = () if whole else place_of(self._viewer, target.mask)
            self._steps.do_in_thread(step, 2, place)

    def _begin(self, target: Target) -> None:
        if self._name in _SIGNS:
            self._scribbles.begin(target, _SIGNS[self._name])
        elif self._drawn_on[self._name].layer is None:
            self._drawn_on[self._name].show(target.mask)
            if self._name == "box":
                self._likely.warm_up(target.source, place_of(self._viewer, target.mask))

    def _put_solved(self, target: Target, place: Position, change: Change) -> None:
        said = f"Moved the border of {target.category.name}"
        self._put(self._step(target, said, lambda *_: change), place)

    def _put(self, step: Step, place: Position) -> None:
        """Do a step, unless meanwhile another mask is corrected or a tool works on the whole."""
        if step.mask is self._mask and not self._steps.busy:
            self._steps.do_at(step, place, select=False)
            self.solved.emit()

    def _step(self, target: Target, said: str, work: Operation) -> Step:
        return Step(target.mask, target.aim.value, target.category, said, work)

    def _on_dims(self) -> None:
        if self._mask is not None and off_screen(self._viewer, self._mask):
            self.end()
        self._scribbles.follow()
