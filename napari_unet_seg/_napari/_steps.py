"""Uses of a tool: at once on a slice, in a thread on the whole; each a single step of undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from qtpy.QtCore import QObject, Signal

from napari_unet_seg._napari import _worker
from napari_unet_seg._napari._edits import in_words, put
from napari_unet_seg._napari._review_layers import make_editable
from napari_unet_seg._napari._tools_work import over_parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Labels
    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QWidget

    from napari_unet_seg._napari._tools_work import Place, Work
    from napari_unet_seg.config import Category
    from napari_unet_seg.correct.apply import Change


class Step(NamedTuple):
    """One use of a tool."""

    mask: Labels
    value: int
    """Label value of the category."""
    category: Category
    said: str
    """What was done to it, in words."""
    work: Work


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

    def do_at(self, step: Step, place: Place) -> None:
        """Do a step on what lies at `place` along the leading axes, at once."""
        make_editable(step.mask)
        self._put(step, step.work(step.mask.data[place], place).at(place))

    def do_whole(self, step: Step, axes: int) -> None:
        """Do a step on all parts of so many axes, in a thread; the brush is kept off meanwhile."""
        make_editable(step.mask)
        parts = over_parts(step.mask.data.copy(), axes, step.work)
        thaw = _frozen(step.mask)
        self._step = step
        job = _worker.run(parts, on_event=self._on_part, on_done=self._on_done, name=step.said)
        self.destroyed.connect(job.abandon)
        job.ended.connect(thaw)  # also if this is gone by then
        self.told.emit("Working on the whole…")
        self.busy_changed.emit(True)

    def _on_part(self, event: int | Change) -> None:
        if isinstance(event, int):
            self.told.emit(f"{event:,} done…")
        elif self._step is not None and self._step.mask in self._viewer.layers:
            self._put(self._step, event)

    def _on_done(self) -> None:
        self._step = None
        self.busy_changed.emit(False)

    def _put(self, step: Step, change: Change) -> None:
        if not change.values.size:
            name = step.category.name
            self.told.emit(f"Nothing to change in {name}; tools take background alone.")
            return
        put(step.mask, change)
        self._viewer.layers.selection.active = step.mask  # only its keys have Ctrl+Z
        self.told.emit(f"{step.said}: {in_words(change, step.value, step.mask.data.shape)}")


def _frozen(mask: Labels) -> Callable[[], None]:
    """Keep the brush off a mask; returns what gives it back."""
    editable, mode = mask.editable, mask.mode
    mask.editable = False

    def thaw() -> None:
        mask.editable, mask.mode = editable, mode

    return thaw
