"""The tab of the correction tools; each use of a tool is a single step of undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QEvent, Signal

from napari_unet_seg._napari.layers.conversion import categories_of
from napari_unet_seg._napari.layers.edit_monitor import EditWatch
from napari_unet_seg._napari.layers.geometry import geometry_of, voxel_size
from napari_unet_seg._napari.layers.locks import LockGuard, locked_of
from napari_unet_seg._napari.layers.position import (
    go_to_part,
    off_screen_problem,
    place_of,
    shown_part,
    volume_axes,
)
from napari_unet_seg._napari.layers.prediction import probability_map
from napari_unet_seg._napari.tools.form import ToolsForm
from napari_unet_seg._napari.tools.prompt_target import prompt_target
from napari_unet_seg._napari.tools.prompt_tools import PromptTools
from napari_unet_seg._napari.tools.threshold_preview import ThresholdPreview
from napari_unet_seg._napari.tools.tool_descriptions import TOOLS, UNNAMED, edit_problem
from napari_unet_seg._napari.tools.tool_runner import ToolRunner, ToolUse
from napari_unet_seg._napari.widgets.dock_widget import connect
from napari_unet_seg.correct.tools import (
    SHAPES,
    ToolSettings,
    apply_threshold,
    fill_between,
    merge,
    reshape,
)
from napari_unet_seg.errors import SegmentationError
from napari_unet_seg.io.common.places import of_part, place_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Image, Labels
    from napari.viewer import ViewerModel

    from napari_unet_seg._napari.tools.prompt_target import PromptTarget
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Category
    from napari_unet_seg.correct.tools import Operation
    from napari_unet_seg.io.common.places import Part
    from napari_unet_seg.session.session import Session


class ToolsTab(ToolsForm):
    """Applies the tools to a mask.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer of the mask.
    image : callable
        Returns the image of the mask.
    """

    busy_changed = Signal(bool)
    """Emitted with whether a tool runs in a thread."""

    def __init__(self, viewer: ViewerModel, image: Callable[[], Image | None]) -> None:
        super().__init__(viewer)
        self.viewer, self._image = viewer, image
        self._layer: Labels | None = None
        self._mask: Labels | None = None
        """The layer if the tools can change it."""
        self._session: Session | None = None
        self._edits = EditWatch(self)
        self._edits.edited.connect(self._on_edited)
        self._result = ""
        """The result of a tool, until the next edit."""
        self._guard = LockGuard(self)
        self._preview = ThresholdPreview()
        self._runner = ToolRunner(viewer, self)
        self.prompts = PromptTools(viewer, self._runner, self._target, self)
        self.used.connect(self.use)
        self.merge_wanted.connect(self.merge)
        self.categories.category_chosen.connect(self._on_category)
        self.slider.valueChanged.connect(self._on_slider)
        self.slider.sliderReleased.connect(self._on_released)
        self._guard.kept.connect(self._on_kept)
        self.prompt_bar.chosen.connect(self.prompts.choose)
        self.prompt_bar.outlines_wanted.connect(lambda: self.prompts.outline_parts(self.whole()))
        self.prompts.chosen.connect(self.prompt_bar.show_prompt)
        self._runner.status_changed.connect(self._show_result)
        self._runner.busy_changed.connect(self._on_busy)
        self._runner.busy_changed.connect(self.busy_changed)
        self._runner.job_started.connect(self.job_bar.watch)
        layers, dims = viewer.layers.events, viewer.dims.events
        connect(
            self,
            (layers.inserted, self._update_map),
            (layers.removed, self._update_map),
            (dims.point, self._update_map),
        )
        self.destroyed.connect(lambda: self._release())
        self.show_mask(None)

    @property
    def _categories(self) -> tuple[Category, ...]:
        return categories_of(self._layer) if self._layer is not None else ()

    @property
    def busy(self) -> bool:
        """Whether a tool runs in a thread."""
        return self._runner.busy

    def show_mask(self, mask: Labels | None, session: Session | None = None) -> None:
        """Choose the mask to correct, and its session, which has the accepted slices."""
        self._release()
        self._layer, self._session = mask, session
        problem = edit_problem(mask)
        self.categories.show_mask(mask if problem in ("", UNNAMED) else None)
        self.volume_button.setEnabled(mask is not None and mask.ndim > 2)
        if mask is not None:
            mask.events.features.connect(self._on_categories)
            mask.events.selected_label.connect(self._on_label)
        self._on_categories()

    def use(self, name: str) -> None:
        """Apply a tool of `TOOLS` by its name."""
        if name in SHAPES:
            self._do(
                reshape(self._settings(), name),
                self._summary(name),
                slow=True,
                running=f"{TOOLS[name].text} {self._name(self.value())}",
            )
        elif name == "interpolate":
            self.interpolate()
        else:
            self.copy(1 if name == "copy_next" else -1)

    def merge(self, target: int) -> None:
        """Make the chosen category part of another one."""
        if self._may_change(target):
            summary = f"Merged {self._name(self.value())} into {self._name(target)}"
            self._do(merge(self._settings(), target), summary)

    def interpolate(self) -> None:
        """Interpolate the category between key slices, on the slice on screen or on all."""
        mask = self._mask
        if mask is None:
            return
        if volume_axes(mask) < 3:
            self.status.setText(
                f"{mask.name} is no volume; only slices of a volume can be interpolated."
            )
            return
        indices = self._session.accepted if self._session else ()
        accepted = [place_at(index, mask.data.shape[:-2]) for index in indices]
        if self.whole():
            self._do(
                fill_between(self._settings(), accepted),
                self._summary("interpolate"),
                slow=True,
                running=f"Interpolate {self._name(self.value())}",
            )
        elif self._may_change(self.value(), stored=True):
            *volume, index = place_of(self.viewer, mask)
            operation = fill_between(self._settings(), accepted, index)
            self._do(operation, self._summary("interpolate"), tuple(volume), slow=True)

    def copy(self, step: int) -> None:
        """Copy the category to the next slice (1) and go there, or from the previous (-1)."""
        mask = self._mask
        if mask is None or not self._may_change(self.value(), here=True):
            return
        here = shown_part(self.viewer, mask)
        number = here[-1] + step if here and not isinstance(here[-1], slice) else -1
        other = (*here[:-1], number)
        if not 0 <= number < mask.data.shape[len(here) - 1]:
            self.status.setText(f"There is no slice {'after' if step > 0 else 'before'} this one.")
            return
        source, target = (here, other) if step > 0 else (other, here)
        settings = self._settings()
        drawn = np.asarray(mask.data[source]) == settings.value
        if not drawn.any():
            self.status.setText(f"There is no {self._name(settings.value)} to copy.")
            return
        self._do(
            lambda labels, _: settings.change(labels, drawn), self._summary("copy_next"), target
        )
        go_to_part(self.viewer, mask, target)

    def apply_threshold(self) -> None:
        """Set the category to the pixels with at least the slider's probability."""
        probability = self._probability()
        if probability is not None:
            summary = f"Cut {self._name(self.value())} at {self.threshold():.2f}"
            self._do(apply_threshold(self._settings(), probability, self.threshold()), summary)

    def event(self, event: QEvent) -> bool:
        """Update the slider and the keys when the tab is shown, entered or hidden.

        A map whose pixels are filled in emits no event, so the slider is updated here. The keys of
        the prompts are bound while the tab is in front.
        """
        if event.type() in (QEvent.Type.Show, QEvent.Type.Enter):
            self._update_map()
        if event.type() == QEvent.Type.Show:
            self.prompts.bind_keys()
        elif event.type() == QEvent.Type.Hide and not event.spontaneous():
            self.prompts.unbind_keys()
        return bool(super().event(event))

    def _release(self) -> None:
        self._preview.end()
        self._edits.watch(None)
        if self._layer is not None:
            self._layer.events.features.disconnect(self._on_categories)
            self._layer.events.selected_label.disconnect(self._on_label)
        self._layer = self._mask = None

    def _on_categories(self, _: Any = None) -> None:
        """Use the categories that the mask has now."""
        mask = self._layer
        problem = edit_problem(mask)
        if (now := None if problem else mask) is not self._mask:
            self._mask = now
            self._guard.watch(now)
            self.prompts.show_mask(now)
            self._edits.watch(now)
        self.show_categories(
            self._categories if now is not None else (), locked_of(now) if now is not None else ()
        )
        self._on_busy(self._runner.busy)
        self.status.setText(problem)
        self._update_map()

    def _do(
        self,
        operation: Operation,
        summary: str,
        place: Part | None = None,
        *,
        slow: bool = False,
        running: str = "Change the mask",
    ) -> None:
        """Apply an operation at a place, by default to the slice or volume chosen in the form."""
        mask, value = self._mask, self.value()
        if mask is None or not self._may_change(value):
            return
        use = ToolUse(mask, value, self._categories[value - 1], summary, operation, slow, running)
        if place is None and self.whole() and mask.ndim > 2:
            self._runner.run_in_thread(use, volume_axes(mask))
        else:
            self._runner.run(use, shown_part(self.viewer, mask) if place is None else place)

    def _on_busy(self, busy: bool) -> None:
        if busy:
            self.prompts.end()
        self.categories.setEnabled(not busy)
        self.controls.setEnabled(self._mask is not None and not busy)

    def _target(self) -> PromptTarget | None:
        """Return the category that prompts change; None, after showing why, if none may change."""
        mask = self._mask
        if mask is None or not self._may_change(self.value()):
            return None
        try:
            return prompt_target(
                self.viewer, mask, self._image(), self._categories, self._settings()
            )
        except SegmentationError as error:
            self.status.setText(str(error))
            return None

    def _settings(self) -> ToolSettings:
        if self._mask is None:
            return ToolSettings(0, (), self.pixels.value(), ())
        sizes = voxel_size(geometry_of(self._mask), self._mask.ndim).sizes
        if self.whole():
            sizes = sizes[-volume_axes(self._mask) :]
        else:
            sizes = of_part(sizes, shown_part(self.viewer, self._mask))
        return ToolSettings(self.value(), locked_of(self._mask), self.pixels.value(), sizes)

    def _may_change(self, value: int, *, here: bool = False, stored: bool = False) -> bool:
        """Whether a category may be changed in the chosen extent, or `here` on this plane.

        The plane has to be a slice as it is stored if `stored`.
        """
        if self._mask is None or self._runner.busy:
            return False
        problem = ""
        if value in locked_of(self._mask):
            problem = f"{self._name(value)} is locked; unlock it to change it."
        elif here or not self.whole():
            remedy = "" if here else ", or choose the volume"
            problem = off_screen_problem(self.viewer, self._mask, remedy=remedy, stored=stored)
        self.status.setText(problem)
        return not problem

    def _name(self, value: int) -> str:
        return self._categories[value - 1].name if value else ""

    def _summary(self, tool: str) -> str:
        return TOOLS[tool].past.format(self._name(self.value()))

    def _probability(self) -> Array | None:
        """Return the probability map of the category if it has the slice on screen, else None."""
        mask = self._mask
        if mask is None or not self.value():
            return None
        found = probability_map(self.viewer, mask, self._categories[self.value() - 1])
        has_slice = found is not None and found[shown_part(self.viewer, mask)].any()
        return found if has_slice else None

    def _update_map(self, _: Any = None) -> None:
        self.show_map(self._probability() is not None)

    def _on_slider(self) -> None:
        mask, probability = self._mask, self._probability()
        if not self.slider.isSliderDown():
            self.apply_threshold()
        elif mask is not None and probability is not None and self._may_change(self.value()):
            place = shown_part(self.viewer, mask)
            operation = apply_threshold(self._settings(), probability, self.threshold())
            self._preview.show(mask, place, operation)

    def _on_released(self) -> None:
        if self._preview.end():
            self.apply_threshold()

    def _show_result(self, text: str) -> None:
        self._edits.settle()
        self._result = text
        self.status.setText(text)

    def _on_edited(self) -> None:
        """Take back the result of a tool that was undone, or that another edit followed."""
        if self._result and self.status.text() == self._result:
            self._show_result("")

    def _on_label(self, _: Any = None) -> None:
        if self._mask is not None:
            self.status.setText("")

    def _on_category(self, _: int) -> None:
        self.prompts.end()
        self._update_map()

    def _on_kept(self, count: int) -> None:
        self.status.setText(f"{count:,} px of locked categories were restored.")
