"""The correction tools at work on a mask, each use of one a single step of undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QEvent, Signal

from napari_unet_seg._napari.layers.geometry import geometry_of, voxel_size
from napari_unet_seg._napari.layers.layers import categories_of
from napari_unet_seg._napari.layers.locks import LockGuard, locked_of, set_locked
from napari_unet_seg._napari.layers.position import (
    go_to,
    off_screen,
    place_at,
    place_of,
    volume_axes,
)
from napari_unet_seg._napari.layers.prediction import probability_map
from napari_unet_seg._napari.tools.form import ToolsTab
from napari_unet_seg._napari.tools.mark_target import target_of
from napari_unet_seg._napari.tools.mark_tools import MarkTools
from napari_unet_seg._napari.tools.steps import Step, Steps
from napari_unet_seg._napari.tools.texts import TOOLS, problem_of
from napari_unet_seg._napari.tools.threshold_preview import Preview
from napari_unet_seg._napari.widgets.dock_widget import connect
from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.correct.tools import (
    SHAPES,
    ToolSettings,
    apply_threshold,
    fill_between,
    merge,
    reshape,
)
from napari_unet_seg.errors import SegmentationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Image, Labels
    from napari.viewer import ViewerModel

    from napari_unet_seg._napari.tools.mark_target import Target
    from napari_unet_seg.config import Category
    from napari_unet_seg.correct.tools import Array, Operation, Position
    from napari_unet_seg.session.session import Session


class Tools(ToolsTab):
    """Corrects the mask it is shown.

    Parameters
    ----------
    viewer : napari.Viewer
        Where the mask is.
    image : callable
        Returns the image of the mask.
    """

    busy_changed = Signal(bool)
    """Whether a tool works in a thread."""

    def __init__(self, viewer: ViewerModel, image: Callable[[], Image | None]) -> None:
        super().__init__()
        self.viewer, self._image = viewer, image
        self._mask: Labels | None = None
        self._session: Session | None = None
        self._categories: tuple[Category, ...] = ()
        self._guard = LockGuard(self)
        self._preview = Preview()
        self._steps = Steps(viewer, self)
        self.marks = MarkTools(viewer, self._steps, self._target, self)
        self.used.connect(self.use)
        self.merge_wanted.connect(self.merge)
        self.category_chosen.connect(self._on_category)
        self.lock_toggled.connect(self._on_lock)
        self.slider.valueChanged.connect(self._on_slider)
        self.slider.sliderReleased.connect(self._on_released)
        self._guard.kept.connect(self._on_kept)
        self.mark_bar.chosen.connect(self.marks.choose)
        self.mark_bar.outlines_wanted.connect(lambda: self.marks.outline_parts(self.whole()))
        self.marks.chosen.connect(self.mark_bar.show_mark)
        self._steps.told.connect(self.status.setText)
        self._steps.busy_changed.connect(self._on_busy)
        self._steps.busy_changed.connect(self.busy_changed)
        layers, dims = viewer.layers.events, viewer.dims.events
        connect(
            self,
            (layers.inserted, self._look_for_map),
            (layers.removed, self._look_for_map),
            (dims.point, self._look_for_map),
        )
        self.destroyed.connect(lambda: self._release())
        self.show_mask(None)

    @property
    def busy(self) -> bool:
        """Whether a tool works in a thread."""
        return self._steps.busy

    def show_mask(self, mask: Labels | None, session: Session | None = None) -> None:
        """Correct this mask from now on; a session knows which of its slices are accepted."""
        self._release()
        self._categories = session.categories if session else categories_of(mask) if mask else ()
        problem = problem_of(mask, self._categories)
        self._mask, self._session = (None if problem else mask), session
        self._guard.watch(self._mask)
        self.marks.show_mask(self._mask)
        self.show_categories(() if problem else self._categories)
        self.volume_button.setEnabled(mask is not None and mask.ndim > 2)
        self._on_busy(self._steps.busy)
        self.status.setText(problem)
        if self._mask is not None:
            self._mask.events.selected_label.connect(self._on_label)
            self.show_locks(locked_of(self._mask))
            self._on_label()
        self._look_for_map()

    def use(self, name: str) -> None:
        """Use a tool by its name."""
        if name in SHAPES:
            self._do(reshape(self._aim(), name), self._said(name), slow=True)
        elif name == "interpolate":
            self.interpolate()
        else:
            self.copy(1 if name == "copy_next" else -1)

    def merge(self, target: int) -> None:
        """Make the chosen category part of another one."""
        if self._may_change(target):
            said = f"Merged {self._name(self.value())} into {self._name(target)}"
            self._do(merge(self._aim(), target), said)

    def interpolate(self) -> None:
        """Draw the slice on screen, or all, between key slices."""
        mask = self._mask
        if mask is None:
            return
        if volume_axes(mask) < 3:
            self.status.setText(f"{mask.name} has no slices of one volume to go between.")
            return
        accepted = [place_at(mask, i) for i in self._session.accepted] if self._session else []
        if self.whole():
            self._do(fill_between(self._aim(), accepted), self._said("interpolate"), slow=True)
        else:
            *volume, index = place_of(self.viewer, mask)
            work = fill_between(self._aim(), accepted, index)
            self._do(work, self._said("interpolate"), tuple(volume), slow=True)

    def copy(self, step: int) -> None:
        """Copy the category to the next slice (1) and go there, or from the previous one (-1)."""
        mask = self._mask
        if mask is None or not self._may_change(self.value(), here=True):
            return
        here = place_of(self.viewer, mask)
        other = (*here[:-1], here[-1] + step) if here else ()
        if not other or not 0 <= other[-1] < mask.data.shape[len(here) - 1]:
            self.status.setText(f"There is no slice {'after' if step > 0 else 'before'} this one.")
            return
        source, target = (here, other) if step > 0 else (other, here)
        aim = self._aim()
        drawn = np.asarray(mask.data[source]) == aim.value
        if not drawn.any():
            self.status.setText(f"There is no {self._name(aim.value)} to copy.")
            return
        self._do(lambda labels, _: aim.change(labels, drawn), self._said("copy_next"), target)
        go_to(self.viewer, mask, int(np.ravel_multi_index(target, mask.data.shape[:-2])))

    def apply_threshold(self) -> None:
        """Let the category be where its probability is at least what the slider says."""
        probability = self._probability()
        if probability is not None:
            said = f"Cut {self._name(self.value())} at {self.threshold():.2f}"
            self._do(apply_threshold(self._aim(), probability, self.threshold()), said)

    def event(self, event: QEvent) -> bool:
        """Look for probabilities when the user comes here: a map that is filled tells nobody.

        The keys of the marks work while the tools are in front.
        """
        if event.type() in (QEvent.Type.Show, QEvent.Type.Enter):
            self._look_for_map()
        if event.type() == QEvent.Type.Show:
            self.marks.bind_keys()
        elif event.type() == QEvent.Type.Hide and not event.spontaneous():
            self.marks.unbind_keys()
        return bool(super().event(event))

    def _release(self) -> None:
        self._preview.end()
        if self._mask is not None:
            self._mask.events.selected_label.disconnect(self._on_label)

    def _do(
        self, work: Operation, said: str, place: Position | None = None, *, slow: bool = False
    ) -> None:
        """Do the work at a place, by default where the form says: the slice shown or all."""
        mask, value = self._mask, self.value()
        if mask is None or not self._may_change(value):
            return
        step = Step(mask, value, self._categories[value - 1], said, work, slow)
        if place is None and self.whole() and mask.ndim > 2:
            self._steps.do_in_thread(step, volume_axes(mask))
        else:
            self._steps.do(step, place_of(self.viewer, mask) if place is None else place)

    def _on_busy(self, busy: bool) -> None:
        if busy:
            self.marks.end()
        self.controls.setEnabled(self._mask is not None and not busy)

    def _target(self) -> Target | None:
        """Return what marks change; None, having said why, if they must not."""
        mask = self._mask
        if mask is None or not self._may_change(self.value()):
            return None
        try:
            return target_of(self.viewer, mask, self._image(), self._categories, self._aim())
        except SegmentationError as error:
            self.status.setText(str(error))
            return None

    def _aim(self) -> ToolSettings:
        if self._mask is None:
            return ToolSettings(0, (), self.pixels.value(), ())
        axes = volume_axes(self._mask) if self.whole() else 2
        sizes = voxel_size(geometry_of(self._mask), self._mask.ndim).sizes[-axes:]
        return ToolSettings(self.value(), locked_of(self._mask), self.pixels.value(), sizes)

    def _may_change(self, value: int, *, here: bool = False) -> bool:
        """Whether a category may be changed in what is chosen, or `here` in the slice on screen."""
        if self._mask is None or self._steps.busy:
            return False
        problem = ""
        if value in locked_of(self._mask):
            problem = f"{self._name(value)} is locked; unlock it to change it."
        elif here or not self.whole():
            remedy = "" if here else ", or choose the volume"
            problem = off_screen(self.viewer, self._mask, remedy=remedy)
        self.status.setText(problem)
        return not problem

    def _name(self, value: int) -> str:
        return self._categories[value - 1].name if value else ""

    def _said(self, tool: str) -> str:
        return TOOLS[tool].past.format(self._name(self.value()))

    def _probability(self) -> Array | None:
        """Return the map of the chosen category, if it has one that knows the slice on screen."""
        mask = self._mask
        if mask is None or not self.value():
            return None
        found = probability_map(self.viewer, mask, self._categories[self.value() - 1])
        known = found is not None and found[place_of(self.viewer, mask)].any()
        return found if known else None

    def _look_for_map(self, _: Any = None) -> None:
        self.show_map(self._probability() is not None)

    def _on_slider(self) -> None:
        mask, probability = self._mask, self._probability()
        if not self.slider.isSliderDown():
            self.apply_threshold()
        elif mask is not None and probability is not None and self._may_change(self.value()):
            place = place_of(self.viewer, mask)
            work = apply_threshold(self._aim(), probability, self.threshold())
            self._preview.show(mask, place, work)

    def _on_released(self) -> None:
        if self._preview.end():
            self.apply_threshold()

    def _on_label(self, _: Any = None) -> None:
        if self._mask is None:
            return
        label = self._mask.selected_label
        stray = label > len(self._categories) and label != IGNORE_INDEX
        self.status.setText(f"Label {label} is no category; choose one above." if stray else "")
        self.choose(label)

    def _on_category(self, value: int) -> None:
        self.marks.end()
        if self._mask is not None:
            self._mask.selected_label = value
            self.show_locks(locked_of(self._mask))
        self._look_for_map()

    def _on_lock(self, locked: bool) -> None:
        if self._mask is not None:
            set_locked(self._mask, self.value(), locked)
            self.show_locks(locked_of(self._mask))

    def _on_kept(self, count: int) -> None:
        self.status.setText(f"{count:,} px of locked categories were put back.")
