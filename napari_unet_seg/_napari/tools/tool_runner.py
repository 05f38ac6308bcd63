"""The runner of the tools: a slice changes at once, a volume in a thread, as one step of undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from qtpy.QtCore import QObject, Signal

from napari_unet_seg._napari.layers.position import make_editable
from napari_unet_seg._napari.layers.undoable_edits import apply_change, edit_summary
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg.correct.tools import apply_to_parts, iterate_parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Labels
    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QWidget

    from napari_unet_seg.config import Category
    from napari_unet_seg.correct.change import Change
    from napari_unet_seg.correct.tools import Operation
    from napari_unet_seg.io.common.places import Part


_MAX_AT_ONCE = 2**18
"""Number of labels that a slow tool changes without a noticeable delay."""

_PAUSED_MODE = "pan_zoom"


class ToolUse(NamedTuple):
    """One use of a tool."""

    mask: Labels
    value: int
    """The label of the category."""
    category: Category
    summary: str
    """The result as a message: "Grew tumour"."""
    operation: Operation
    slow: bool = False
    """Whether the operation computes more than a comparison of each label."""


class ToolRunner(QObject):
    """Applies tools to masks, one at a time.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer of the masks.
    parent : QWidget
        The widget with which running jobs end.
    """

    status_changed = Signal(str)
    """Emitted with the result of a tool, or with its progress."""
    busy_changed = Signal(bool)
    """Emitted with whether a tool runs in a thread."""

    def __init__(self, viewer: ViewerModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._use: ToolUse | None = None

    @property
    def busy(self) -> bool:
        """Whether a tool runs in a thread."""
        return self._use is not None

    def run(self, use: ToolUse, place: Part) -> None:
        """Apply a tool to the part at `place`: at once if that is quick, else in a thread."""
        part = use.mask.data[place]
        if use.slow and part.size > _MAX_AT_ONCE:
            self.run_in_thread(use, part.ndim, place)
        else:
            self.run_at(use, place)

    def run_at(self, use: ToolUse, place: Part, *, select: bool = True) -> None:
        """Apply a tool at once to the part at `place` along the leading axes.

        The mask is selected for Ctrl+Z, unless another layer forwards Ctrl+Z to the mask.
        """
        make_editable(use.mask)
        if self._put(use, use.operation(use.mask.data[place], place).at(place)) and select:
            self._select(use.mask)

    def run_in_thread(self, use: ToolUse, axes: int, place: Part = ()) -> None:
        """Apply a tool in a thread to each part with `axes` axes at `place`.

        The brush is disabled until the tool has ended.
        """
        make_editable(use.mask)
        labels = use.mask.data[place].copy()
        operation = apply_to_parts(
            iterate_parts(labels, axes),
            labels.ndim,
            lambda part, at: use.operation(part, (*place, *at)),
        )
        restore_brush = _disable_brush(use.mask)
        self._use = use

        def take(event: int | Change) -> None:
            if isinstance(event, int):
                self.status_changed.emit(f"{event:,} done…")
            elif use.mask in self._viewer.layers:
                # Pixels that were edited in the meantime keep the edit.
                change = event.where_equal(labels, use.mask.data[place]).at(place)
                if self._put(use, change):
                    self._select(use.mask)

        job = jobs.run(operation, on_event=take, on_done=self._on_done, name=use.summary)
        self.destroyed.connect(job.abandon)
        job.ended.connect(restore_brush)  # even if this object was deleted by then
        self.status_changed.emit("Running…" if place else "Running on all slices…")
        self.busy_changed.emit(True)

    def _on_done(self) -> None:
        self._use = None
        self.busy_changed.emit(False)

    def _put(self, use: ToolUse, change: Change) -> bool:
        """Change the mask and show the result; return whether any pixel changed."""
        if not change.values.size:
            self.status_changed.emit(f"Nothing to change in {use.category.name}.")
            return False
        apply_change(use.mask, change)
        self.status_changed.emit(
            f"{use.summary}: {edit_summary(change, use.value, use.mask.data.shape)}"
        )
        return True

    def _select(self, mask: Labels) -> None:
        self._viewer.layers.selection.active = mask  # Ctrl+Z goes to the active layer


def _disable_brush(mask: Labels) -> Callable[[], None]:
    """Disable the brush on a mask; return a function that enables it again.

    The mode of the layer is fixed, because napari drops the undo history of a layer that is set to
    be not editable.
    """
    mode = mask.mode

    def pause(_: object = None) -> None:
        if mask.mode != _PAUSED_MODE:
            mask.mode = _PAUSED_MODE

    def restore() -> None:
        mask.events.mode.disconnect(pause)
        mask.mode = mode

    pause()
    mask.events.mode.connect(pause)
    return restore
