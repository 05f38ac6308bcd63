"""The runner of the tools: a slice changes at once, a volume in a thread, as one step of undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from qtpy.QtCore import QObject, Qt, QTimer, Signal
from qtpy.QtWidgets import QApplication

from napari_unet_seg._napari.layers.position import make_editable
from napari_unet_seg._napari.layers.undoable_edits import apply_change, edit_summary
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg.correct.change import join_changes
from napari_unet_seg.correct.tools import apply_to_parts
from napari_unet_seg.events import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from napari.layers import Labels
    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QWidget

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Category
    from napari_unet_seg.correct.change import Change
    from napari_unet_seg.correct.tools import Operation
    from napari_unet_seg.events import Command
    from napari_unet_seg.io.common.places import Part


_MAX_AT_ONCE = 2**18
"""Number of labels that a slow tool changes without a noticeable delay."""

_POLL_MS = 20


def _nothing(labels: Array, _: Part) -> Change:
    return join_changes((), labels.ndim)


class ToolUse(NamedTuple):
    """One use of a tool."""

    mask: Labels
    value: int
    """The label of the category."""
    category: Category
    summary: str
    """The result as a message: "Grew tumour"."""
    operation: Operation = _nothing
    """Computes the change, where a generator does not yield it."""
    slow: bool = False
    """Whether the operation computes more than a comparison of each label."""
    running: str = "Change the mask"
    """The use as the name of a job."""


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
    job_started = Signal(object)
    """Emitted with the job of a tool that runs in a thread."""

    def __init__(self, viewer: ViewerModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._use: ToolUse | None = None
        self.forwards_undo: Callable[[], bool] = lambda: False
        """Returns whether the active layer forwards Ctrl+Z to the mask."""

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

        The user can go on painting: pixels that are edited in the meantime keep the edit.
        """
        make_editable(use.mask)
        labels = use.mask.data[place].copy()
        events = apply_to_parts(labels, axes, lambda part, at: use.operation(part, (*place, *at)))
        self.run_events(use, events, labels, place)

    def run_events(
        self,
        use: ToolUse,
        events: Generator[Progress | Change, Command | None, None],
        labels: Array,
        place: Part = (),
        on_put: Callable[[], None] = lambda: None,
    ) -> None:
        """Apply in a thread what a generator yields last: the change of the part at `place`.

        The user can go on painting: pixels that are edited in the meantime keep the edit.

        Parameters
        ----------
        use : ToolUse
            The use; its operation is not called.
        events : generator
            Progress, and the change at the end; without one after a stop.
        labels : array
            A copy of the part's labels, from which the change is computed.
        place : tuple of int or slice
            Index of the part.
        on_put : callable
            Called when the mask has changed.
        """
        waiting = False

        def put(change: Change) -> None:
            if use.mask in self._viewer.layers:
                change = change.where_equal(labels, use.mask.data[place]).at(place)
                if self._put(use, change):
                    if not self.forwards_undo():
                        self._select(use.mask)
                    on_put()
            self._end()

        def take(event: Progress | Change) -> None:
            nonlocal waiting
            if not isinstance(event, Progress):
                waiting = True
                self._after_stroke(lambda: put(event))

        def done() -> None:
            if job.was_stopped and not waiting:
                self.status_changed.emit("Stopped; nothing is changed.")
            if not waiting:
                self._end()

        job = jobs.run(events, on_event=take, on_done=done, name=use.running)
        self.destroyed.connect(job.abandon)
        self._use = use
        self.status_changed.emit("")
        self.busy_changed.emit(True)
        self.job_started.emit(job)

    def _after_stroke(self, action: Callable[[], None]) -> None:
        """Call a function once no mouse button is pressed.

        In the middle of a stroke a change would become a part of the stroke's step of undo.
        """
        if QApplication.mouseButtons() == Qt.MouseButton.NoButton:
            action()
            return
        timer = QTimer(self)

        def look() -> None:
            if QApplication.mouseButtons() == Qt.MouseButton.NoButton:
                timer.deleteLater()
                action()

        timer.timeout.connect(look)
        timer.start(_POLL_MS)

    def _end(self) -> None:
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
