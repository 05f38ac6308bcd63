"""Uses of a tool: at once on a slice, in a thread on the whole; each a single step of undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from qtpy.QtCore import QObject, Signal

from napari_unet_seg._napari.layers.edits import in_words, put
from napari_unet_seg._napari.layers.position import make_editable
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg.correct.tools import apply_to_parts, iterate_parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Labels
    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QWidget

    from napari_unet_seg.config import Category
    from napari_unet_seg.correct.change import Change
    from napari_unet_seg.correct.tools import Operation, Position


_AT_ONCE = 2**18
"""Labels that a slow tool, too, changes before it is noticed."""

_RESTING = "pan_zoom"


class Step(NamedTuple):
    """One use of a tool."""

    mask: Labels
    value: int
    """Label value of the category."""
    category: Category
    said: str
    """What was done to it, in words."""
    work: Operation
    slow: bool = False
    """Whether it takes more than a look at each label."""


class Steps(QObject):
    """Does steps, one at a time.

    Parameters
    ----------
    viewer : napari.Viewer
        Where the masks are.
    parent : QWidget
        With it, what still runs in a thread is let go.
    """

    told = Signal(str)
    """What was changed, or how far a step is."""
    busy_changed = Signal(bool)
    """Whether a step runs in a thread."""

    def __init__(self, viewer: ViewerModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._step: Step | None = None

    @property
    def busy(self) -> bool:
        """Whether a step runs in a thread."""
        return self._step is not None

    def do(self, step: Step, place: Position) -> None:
        """Do a step on what lies at `place`: at once if that is quick, else in a thread."""
        part = step.mask.data[place]
        if step.slow and part.size > _AT_ONCE:
            self.do_in_thread(step, part.ndim, place)
        else:
            self.do_at(step, place)

    def do_at(self, step: Step, place: Position, *, select: bool = True) -> None:
        """Do a step on what lies at `place` along the leading axes, at once.

        The mask is selected for its keys of undo, unless another layer has them too.
        """
        make_editable(step.mask)
        if self._put(step, step.work(step.mask.data[place], place).at(place)) and select:
            self._select(step.mask)

    def do_in_thread(self, step: Step, axes: int, place: Position = ()) -> None:
        """Do a step on all parts of so many axes that lie at `place`, in a thread.

        The brush is kept off meanwhile.
        """
        make_editable(step.mask)
        labels = step.mask.data[place].copy()
        work = apply_to_parts(
            iterate_parts(labels, axes),
            labels.ndim,
            lambda part, at: step.work(part, (*place, *at)),
        )
        thaw = _frozen(step.mask)
        self._step = step

        def take(event: int | Change) -> None:
            if isinstance(event, int):
                self.told.emit(f"{event:,} done…")
            elif step.mask in self._viewer.layers:
                # Whoever has been there meanwhile is right.
                change = event.where_equal(labels, step.mask.data[place]).at(place)
                if self._put(step, change):
                    self._select(step.mask)

        job = jobs.run(work, on_event=take, on_done=self._on_done, name=step.said)
        self.destroyed.connect(job.abandon)
        job.ended.connect(thaw)  # also if this is gone by then
        self.told.emit("Working…" if place else "Working on the whole…")
        self.busy_changed.emit(True)

    def _on_done(self) -> None:
        self._step = None
        self.busy_changed.emit(False)

    def _put(self, step: Step, change: Change) -> bool:
        """Change the mask and tell; returns whether there was anything to change."""
        if not change.values.size:
            self.told.emit(f"Nothing to change in {step.category.name}.")
            return False
        put(step.mask, change)
        self.told.emit(f"{step.said}: {in_words(change, step.value, step.mask.data.shape)}")
        return True

    def _select(self, mask: Labels) -> None:
        self._viewer.layers.selection.active = mask  # only its keys have Ctrl+Z


def _frozen(mask: Labels) -> Callable[[], None]:
    """Keep the brush off a mask; returns what gives it back.

    Its mode is held, for napari forgets what can be undone in a layer that must not be edited.
    """
    mode = mask.mode

    def rest(_: object = None) -> None:
        if mask.mode != _RESTING:
            mask.mode = _RESTING

    def thaw() -> None:
        mask.events.mode.disconnect(rest)
        mask.mode = mode

    rest()
    mask.events.mode.connect(rest)
    return thaw
