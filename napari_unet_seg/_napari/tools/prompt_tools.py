"""The prompts of a mask: boxes to outline, scribbles and lines that move its border."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_unet_seg._napari.layers.position import off_screen_problem, shown_part
from napari_unet_seg._napari.segment.probabilities import CategoryProbabilities
from napari_unet_seg._napari.tools.prompt_bar import PROMPTS
from napari_unet_seg._napari.tools.prompt_layers import INSIDE, OUTSIDE, BoxLayer, LineLayer
from napari_unet_seg._napari.tools.prompt_operations import (
    follow_line,
    outline_box,
    outline_parts,
    replace_in_box,
)
from napari_unet_seg._napari.tools.scribble_tool import ScribbleTool
from napari_unet_seg._napari.tools.tool_runner import ToolUse
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg._napari.widgets.dock_widget import connect
from napari_unet_seg._napari.widgets.keys import KeyBindings, key_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Labels
    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QWidget

    from napari_unet_seg._napari.tools.prompt_target import PromptTarget
    from napari_unet_seg._napari.tools.tool_runner import ToolRunner
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.correct.change import Change
    from napari_unet_seg.correct.tools import Operation
    from napari_unet_seg.io.common.places import Part

_SIGNS = {"inside": INSIDE, "outside": OUTSIDE}


class PromptTools(QObject):
    """Lets the user draw one kind of prompt at a time, and applies the prompts to the mask.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer in which prompts are drawn.
    runner : ToolRunner
        Applies the changes.
    target : callable
        Returns the category to change; None, after showing the reason, if it must not change.
    parent : QWidget
        The widget with which jobs and connections end.
    """

    chosen = Signal(str)
    """The kind of prompt that is drawn next, empty for none."""
    solved = Signal()
    """The mask has changed after a prompt."""

    def __init__(
        self,
        viewer: ViewerModel,
        runner: ToolRunner,
        target: Callable[[], PromptTarget | None],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._runner, self._target = viewer, runner, target
        self._mask: Labels | None = None
        self._name = ""
        self._keys = KeyBindings(viewer)
        self._probabilities = probabilities = CategoryProbabilities()
        self._boxes, self._lines = BoxLayer(viewer, parent), LineLayer(viewer, parent)
        self._drawn_on = {"box": self._boxes, "border": self._lines}
        self._scribble_tool = ScribbleTool(viewer, probabilities, target, self._put_solved, parent)
        self._boxes.drawn.connect(self.take_box)
        self._lines.drawn.connect(self.take_line)
        self._scribble_tool.ended.connect(self.end)
        for layer in self._drawn_on.values():
            layer.undo_wanted.connect(lambda: self._mask and self._mask.undo())
            layer.redo_wanted.connect(lambda: self._mask and self._mask.redo())
            layer.ended.connect(self.end)
        dims = viewer.dims.events
        connect(parent, (dims.point, self._on_dims), (dims.ndisplay, self._on_dims))
        connect(parent, (dims.order, self._on_dims))
        self.destroyed.connect(lambda: probabilities.close())

    def show_mask(self, mask: Labels | None) -> None:
        """Apply prompts to this mask from now on."""
        self.end()
        self._mask = mask

    def bind_keys(self) -> None:
        """Bind the keys of the prompts, whichever layer is active."""
        self._keys.bind({key_of(name): partial(self.toggle, name) for name in PROMPTS})

    def unbind_keys(self) -> None:
        """Restore the viewer's own keys, and stop drawing."""
        self._keys.unbind()
        self.end()

    def choose(self, name: str) -> None:
        """Start to draw a kind of prompt, one of `PROMPTS`; stop drawing if the name is empty."""
        target = self._target() if name else None
        if target is not None and (problem := off_screen_problem(self._viewer, target.mask)):
            self._runner.status_changed.emit(problem)
            target = None
        self._name = name if target is not None else ""
        for kind, layer in self._drawn_on.items():
            if kind != self._name:
                layer.hide()
        if self._name not in _SIGNS:
            self._scribble_tool.end()
        if target is not None:
            self._begin(target)
        self.chosen.emit(self._name)

    def toggle(self, name: str) -> None:
        """Start to draw a kind of prompt, or stop if that kind is drawn already."""
        self.choose("" if name == self._name else name)

    def end(self) -> None:
        """Stop drawing."""
        if self._name:
            self.choose("")

    def take_box(self) -> None:
        """Outline the object in the box that was drawn last."""
        box, target = self._boxes.take(), self._target()
        if box is None or target is None:
            return
        place = shown_part(self._viewer, target.mask)
        name = target.category.name

        def put(result: tuple[Array, bool]) -> None:
            outline, by_model = result
            summary = f"Outlined {name}" if by_model else f"Outlined {name} by grey values alone"
            operation = replace_in_box(target.settings, outline, box)
            self._put(self._use(target, summary, operation), place)

        self._runner.status_changed.emit(f"Outlining {name} …")
        events = outline_box(target.source, self._probabilities, place, box)
        job = jobs.run(events, on_event=put, name="Outlining")
        self.destroyed.connect(job.abandon)

    def take_line(self) -> None:
        """Move the border of the mask to the line that was drawn last."""
        line, target = self._lines.take(), self._target()
        if line is None or target is None:
            return
        path, place = line
        labels = np.array(target.mask.data[place])

        def put(change: Change) -> None:
            change = change.where_equal(labels, target.mask.data[place])
            summary = f"Redrew the border of {target.category.name}"
            self._put(self._use(target, summary, lambda *_: change), place)

        events = follow_line(target.settings, labels, path)
        job = jobs.run(events, on_event=put, name="Redrawing the border")
        self.destroyed.connect(job.abandon)

    def outline_parts(self, whole: bool) -> None:
        """Outline each part of the category as if it was a box, on this slice or on all."""
        self.end()
        target = self._target()
        if target is not None:
            operation = outline_parts(target.settings, target.source, self._probabilities)
            name = target.category.name
            use = self._use(target, f"Outlined the boxes of {name}", operation)
            use = use._replace(running=f"Outline the boxes of {name}")
            place = () if whole else shown_part(self._viewer, target.mask)
            self._runner.run_in_thread(use, 2, place)

    def _begin(self, target: PromptTarget) -> None:
        if self._name in _SIGNS:
            self._scribble_tool.begin(target, _SIGNS[self._name])
        elif self._drawn_on[self._name].layer is None:
            self._drawn_on[self._name].show(target.mask)
            if self._name == "box":
                self._probabilities.warm_up(target.source, shown_part(self._viewer, target.mask))

    def _put_solved(self, target: PromptTarget, place: Part, change: Change) -> None:
        summary = f"Moved the border of {target.category.name}"
        self._put(self._use(target, summary, lambda *_: change), place)

    def _put(self, use: ToolUse, place: Part) -> None:
        """Change the mask, unless another mask was chosen or a tool runs by now."""
        if use.mask is self._mask and not self._runner.busy:
            self._runner.run_at(use, place, select=False)
            self.solved.emit()

    def _use(self, target: PromptTarget, summary: str, operation: Operation) -> ToolUse:
        return ToolUse(target.mask, target.settings.value, target.category, summary, operation)

    def _on_dims(self) -> None:
        if self._mask is not None and off_screen_problem(self._viewer, self._mask):
            self.end()
        self._scribble_tool.follow()
