"""The tools on a mask, with the category, extent and size that the form shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg._napari.layers.conversion import categories_of
from napari_unet_seg._napari.layers.geometry import geometry_of, voxel_size
from napari_unet_seg._napari.layers.locks import locked_of
from napari_unet_seg._napari.layers.position import (
    go_to_part,
    off_screen_problem,
    place_of,
    shown_part,
    volume_axes,
)
from napari_unet_seg._napari.layers.prediction import probability_map
from napari_unet_seg._napari.tools.point.target import prompt_target
from napari_unet_seg._napari.tools.threshold_preview import ThresholdPreview
from napari_unet_seg._napari.tools.tool_descriptions import TOOLS
from napari_unet_seg._napari.tools.tool_runner import ToolUse
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
    from napari.layers import Labels
    from napari.viewer import ViewerModel

    from napari_unet_seg._napari.tools.case_sequences import CaseSequences
    from napari_unet_seg._napari.tools.form import ToolsForm
    from napari_unet_seg._napari.tools.point.target import PromptTarget
    from napari_unet_seg._napari.tools.tool_runner import ToolRunner
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Category
    from napari_unet_seg.correct.tools import Operation
    from napari_unet_seg.io.common.places import Part
    from napari_unet_seg.session.session import Session


class MaskTools:
    """Applies the tools to a mask, or shows in the form why a tool cannot be applied.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer of the mask.
    form : ToolsForm
        Shows the chosen category, extent and size.
    runner : ToolRunner
        Runs the operations.
    sequences : CaseSequences
        The sequences that prompts look at.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        form: ToolsForm,
        runner: ToolRunner,
        sequences: CaseSequences,
    ) -> None:
        self._viewer, self._form, self._runner, self._sequences = viewer, form, runner, sequences
        self.mask: Labels | None = None
        """The mask, if the tools can change it."""
        self.session: Session | None = None
        """The session of the mask, which has the accepted slices."""
        self._preview = ThresholdPreview()

    @property
    def categories(self) -> tuple[Category, ...]:
        """The categories of the mask."""
        return categories_of(self.mask) if self.mask is not None else ()

    def use(self, name: str) -> None:
        """Apply a tool of `TOOLS` by its name."""
        if name in SHAPES:
            self._do(
                reshape(self._settings(), name),
                self._summary(name),
                slow=True,
                running=f"{TOOLS[name].text} {self._name(self._form.value())}",
            )
        elif name == "interpolate":
            self.interpolate()
        else:
            self.copy(1 if name == "copy_next" else -1)

    def merge(self, target: int) -> None:
        """Make the chosen category part of another one."""
        if self._may_change(target):
            summary = f"Merged {self._name(self._form.value())} into {self._name(target)}"
            self._do(merge(self._settings(), target), summary)

    def interpolate(self) -> None:
        """Interpolate the category between key slices, on the slice on screen or on all."""
        mask = self.mask
        if mask is None:
            return
        if volume_axes(mask) < 3:
            self._form.status.setText(
                f"{mask.name} is no volume; only slices of a volume can be interpolated."
            )
            return
        indices = self.session.accepted if self.session else ()
        accepted = [place_at(index, mask.data.shape[:-2]) for index in indices]
        if self._form.whole():
            self._do(
                fill_between(self._settings(), accepted),
                self._summary("interpolate"),
                slow=True,
                running=f"Interpolate {self._name(self._form.value())}",
            )
        elif self._may_change(self._form.value(), stored=True):
            *volume, index = place_of(self._viewer, mask)
            operation = fill_between(self._settings(), accepted, index)
            self._do(operation, self._summary("interpolate"), tuple(volume), slow=True)

    def copy(self, step: int) -> None:
        """Copy the category to the next slice (1) and go there, or from the previous (-1)."""
        mask = self.mask
        if mask is None or not self._may_change(self._form.value(), here=True):
            return
        here = shown_part(self._viewer, mask)
        number = here[-1] + step if here and not isinstance(here[-1], slice) else -1
        other = (*here[:-1], number)
        if not 0 <= number < mask.data.shape[len(here) - 1]:
            self._form.status.setText(
                f"There is no slice {'after' if step > 0 else 'before'} this one."
            )
            return
        source, target = (here, other) if step > 0 else (other, here)
        settings = self._settings()
        drawn = np.asarray(mask.data[source]) == settings.value
        if not drawn.any():
            self._form.status.setText(f"There is no {self._name(settings.value)} to copy.")
            return
        self._do(
            lambda labels, _: settings.change(labels, drawn), self._summary("copy_next"), target
        )
        go_to_part(self._viewer, mask, target)

    def apply_threshold(self) -> None:
        """Set the category to the pixels with at least the slider's probability."""
        probability = self.probability()
        if probability is not None:
            summary = f"Cut {self._name(self._form.value())} at {self._form.threshold():.2f}"
            self._do(
                apply_threshold(self._settings(), probability, self._form.threshold()), summary
            )

    def preview_threshold(self) -> None:
        """Show what `apply_threshold` would do to the slice on screen, until `end_preview`."""
        mask, probability = self.mask, self.probability()
        if mask is None or probability is None or not self._may_change(self._form.value()):
            return
        place = shown_part(self._viewer, mask)
        operation = apply_threshold(self._settings(), probability, self._form.threshold())
        self._preview.show(mask, place, operation)

    def end_preview(self) -> bool:
        """Restore the slice before a preview; return whether there was one."""
        return self._preview.end()

    def target(self) -> PromptTarget | None:
        """Return the category that prompts change; None, after showing why, if none may change."""
        mask = self.mask
        if mask is None or not self._may_change(self._form.value()):
            return None
        try:
            settings = self._settings()
            category = self.categories[settings.value - 1]
            others = self._sequences.others() if self._form.point_bar.at_all else ()
            return prompt_target(mask, self._sequences.shown(), category, settings, others)
        except SegmentationError as error:
            self._form.status.setText(str(error))
            return None

    def probability(self) -> Array | None:
        """Return the probability map of the category if it has the slice on screen, else None."""
        mask = self.mask
        if mask is None or not self._form.value():
            return None
        found = probability_map(self._viewer, mask, self.categories[self._form.value() - 1])
        has_slice = found is not None and found[shown_part(self._viewer, mask)].any()
        return found if has_slice else None

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
        mask, value = self.mask, self._form.value()
        if mask is None or not self._may_change(value):
            return
        use = ToolUse(mask, value, self.categories[value - 1], summary, operation, slow, running)
        if place is None and self._form.whole() and mask.ndim > 2:
            self._runner.run_in_thread(use, volume_axes(mask))
        else:
            self._runner.run(use, shown_part(self._viewer, mask) if place is None else place)

    def _settings(self) -> ToolSettings:
        if self.mask is None:
            return ToolSettings(0, (), self._form.pixels.value(), ())
        sizes = voxel_size(geometry_of(self.mask), self.mask.ndim).sizes
        if self._form.whole():
            sizes = sizes[-volume_axes(self.mask) :]
        else:
            sizes = of_part(sizes, shown_part(self._viewer, self.mask))
        return ToolSettings(
            self._form.value(), locked_of(self.mask), self._form.pixels.value(), sizes
        )

    def _may_change(self, value: int, *, here: bool = False, stored: bool = False) -> bool:
        """Whether a category may be changed in the chosen extent, or `here` on this plane.

        The plane has to be a slice as it is stored if `stored`.
        """
        if self.mask is None or self._runner.busy:
            return False
        problem = ""
        if value in locked_of(self.mask):
            problem = f"{self._name(value)} is locked; unlock it to change it."
        elif here or not self._form.whole():
            remedy = "" if here else ", or choose the volume"
            problem = off_screen_problem(self._viewer, self.mask, remedy=remedy, stored=stored)
        self._form.status.setText(problem)
        return not problem

    def _name(self, value: int) -> str:
        return self.categories[value - 1].name if value else ""

    def _summary(self, tool: str) -> str:
        return TOOLS[tool].past.format(self._name(self._form.value()))
