"""What the mouse can draw on a mask: prompts for the network, and borders."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from napari_unet_seg._napari.layers.position import off_screen_problem, shown_part
from napari_unet_seg._napari.segment.chosen_model import POINT
from napari_unet_seg._napari.tools.drawing.border import BorderTool
from napari_unet_seg._napari.tools.point.question import outline_parts
from napari_unet_seg._napari.tools.point.tool import PointTool
from napari_unet_seg._napari.tools.tool_runner import ToolUse
from napari_unet_seg._napari.widgets.dock_widget import connect
from napari_unet_seg._napari.widgets.keys import KeyBindings, key_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Labels
    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QWidget

    from napari_unet_seg._napari.tools.drawing.tool import DrawingTool
    from napari_unet_seg._napari.tools.point.target import PromptTarget
    from napari_unet_seg._napari.tools.tool_runner import ToolRunner
    from napari_unet_seg.correct.change import Change
    from napari_unet_seg.correct.tools import Operation
    from napari_unet_seg.io.common.places import Part
    from napari_unet_seg.session.session import Session

DRAWN = ("point", "border")
"""What can be drawn, of which `KEYS` has the keys."""


class PromptTools(QObject):
    """Lets the user draw prompts or borders, and applies them to the mask.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer in which the user draws.
    runner : ToolRunner
        Applies the changes.
    target : callable
        Returns the category to change; None, after showing the reason, if it must not change.
    parent : QWidget
        The widget with which jobs and connections end.
    """

    chosen = Signal(str)
    """One of `DRAWN`, which is drawn from now on; empty for none."""
    solved = Signal()
    """The mask has changed after a prompt or a line."""

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
        self._keys: list[KeyBindings] = []
        self.point = PointTool(viewer, self._free_target, self._put, parent)
        self.border = BorderTool(viewer, self._free_target, self._put, parent)
        self._tools: dict[str, DrawingTool] = {"point": self.point, "border": self.border}
        for tool in self._tools.values():
            tool.ended.connect(self.end)
        self.point.waiting.connect(runner.status_changed)
        runner.forwards_undo = lambda: bool(self._name)
        dims = viewer.dims.events
        connect(parent, (dims.point, self._on_dims), (dims.ndisplay, self._on_dims))
        connect(parent, (dims.order, self._on_dims))

    @property
    def drawn(self) -> str:
        """One of `DRAWN`, which is drawn now; empty for none."""
        return self._name

    def show_mask(self, mask: Labels | None, session: Session | None) -> None:
        """Apply what is drawn to this mask from now on."""
        if mask is not self._mask:
            self.end()
            self._mask = mask
            if self._keys:
                self.bind_keys()
        self.point.history.show_mask(mask, session)

    def bind_keys(self) -> None:
        """Bind the keys, whichever layer is active."""
        self._free_keys()
        owners = [self._viewer] if self._mask is None else [self._viewer, self._mask]
        # napari has a brush on P too, which it looks for on the mask first.
        self._keys = [KeyBindings(owner) for owner in owners]
        for keys in self._keys:
            keys.bind(self._actions())

    def unbind_keys(self) -> None:
        """Restore the viewer's own keys, and stop drawing."""
        self._free_keys()
        self.end()

    def _free_keys(self) -> None:
        for keys in self._keys:
            keys.unbind()
        self._keys = []

    def choose(self, name: str) -> None:
        """Start to draw one of `DRAWN`; stop drawing if the name is empty."""
        target = self._free_target() if name else None
        if target is not None and (problem := off_screen_problem(self._viewer, target.mask)):
            self._runner.status_changed.emit(problem)
            target = None
        self._name = name if target is not None else ""
        for other, tool in self._tools.items():
            if other != self._name:
                tool.end()
        if target is not None:
            tool = self._tools[self._name]
            tool.begin(target)
            KeyBindings(tool.layer.layer).bind(self._actions())
        self.chosen.emit(self._name)

    def toggle(self, name: str) -> None:
        """Start to draw one of `DRAWN`, or stop if it is drawn already."""
        self.choose("" if name == self._name else name)

    def end(self) -> None:
        """Stop drawing."""
        if self._name:
            self.choose("")

    def begin_again(self) -> None:
        """Go on drawing for the category that is chosen now."""
        if self._name:
            self._tools[self._name].aim(self._target())

    def outline_parts(self, whole: bool) -> None:
        """Outline each part of the category as if it was a box, on this slice or on all."""
        self.end()
        target = self._target()
        if target is not None:
            operation = outline_parts(target, self.point.network, POINT.current())
            name = target.category.name
            use = self._use(target, f"Outlined the boxes of {name}", operation)
            use = use._replace(running=f"Outline the boxes of {name}")
            place = () if whole else shown_part(self._viewer, target.mask)
            self._runner.run_in_thread(use, 2, place)

    def _free_target(self) -> PromptTarget | None:
        """Return the category to change; None, after showing the reason, if it must not now."""
        if self._runner.busy:
            self._runner.status_changed.emit("A tool is at work; wait until it has ended, or stop.")
            return None
        return self._target()

    def _actions(self) -> dict[str, Callable[[], None]]:
        return {key_of(name): partial(self.toggle, name) for name in DRAWN}

    def _put(self, target: PromptTarget, part: Part, change: Change, summary: str) -> None:
        """Change the mask, unless another mask was chosen or a tool runs by now."""
        if target.mask is self._mask and not self._runner.busy:
            use = self._use(target, summary, lambda *_: change)
            self._runner.run_at(use, part, select=False)
            self.solved.emit()

    def _use(self, target: PromptTarget, summary: str, operation: Operation) -> ToolUse:
        return ToolUse(target.mask, target.settings.value, target.category, summary, operation)

    def _on_dims(self) -> None:
        if self._mask is not None and off_screen_problem(self._viewer, self._mask):
            self.end()
        self.point.follow()
