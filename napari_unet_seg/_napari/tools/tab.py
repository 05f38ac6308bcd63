"""The tab of the correction tools; each use of a tool is a single step of undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, Signal

from napari_unet_seg._napari.layers.edit_monitor import EditWatch
from napari_unet_seg._napari.layers.locks import LockGuard, locked_of
from napari_unet_seg._napari.tools.carry_tool import CarryTool
from napari_unet_seg._napari.tools.case_sequences import CaseSequences
from napari_unet_seg._napari.tools.form import ToolsForm
from napari_unet_seg._napari.tools.grey_brush import GreyBrush
from napari_unet_seg._napari.tools.mask_tools import MaskTools
from napari_unet_seg._napari.tools.prompt_tools import PromptTools
from napari_unet_seg._napari.tools.tool_descriptions import UNNAMED, edit_problem
from napari_unet_seg._napari.tools.tool_runner import ToolRunner
from napari_unet_seg._napari.widgets.dock_widget import connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Image, Labels
    from napari.viewer import ViewerModel

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
        self.viewer = viewer
        self._layer: Labels | None = None
        self._edits = EditWatch(self)
        self._result = ""
        """The result of a tool, until the next edit."""
        self._guard = LockGuard(self)
        self._sequences = CaseSequences(viewer, image, self)
        self._grey_brush = GreyBrush(viewer, self._sequences.shown, self)
        self._image = image
        self._runner = ToolRunner(viewer, self)
        self._tools = MaskTools(viewer, self, self._runner, self._sequences)
        self.prompts = PromptTools(viewer, self._runner, self._tools.target, self)
        network = self.prompts.point.network
        self.carry = CarryTool(viewer, self._runner, self._tools.target, network, self)
        self.point_bar.add_beside(self.carry.button)
        self._connect_form()
        self._connect_tools()
        layers, dims = viewer.layers.events, viewer.dims.events
        connect(
            self,
            (layers.inserted, self._update_map),
            (layers.removed, self._update_map),
            (dims.point, self._update_map),
        )
        self.destroyed.connect(lambda: self._release())
        self.show_mask(None)

    def _connect_form(self) -> None:
        self.used.connect(self._tools.use)
        self.merge_wanted.connect(self._tools.merge)
        self.categories.category_chosen.connect(self._on_category)
        self.slider.valueChanged.connect(self._on_slider)
        self.slider.sliderReleased.connect(self._on_released)
        self.grey_brush.toggled.connect(self._limit_brush)
        self.border_button.clicked.connect(self._on_border)
        self.outline_button.clicked.connect(lambda: self.prompts.outline_parts(self.whole()))
        self.clear_button.clicked.connect(lambda: self.prompts.point.clear())
        self.point_bar.chosen.connect(lambda on: self.prompts.choose("point" if on else ""))
        self.point_bar.undo_wanted.connect(self._undo)
        self.point_bar.preview_changed.connect(self._show_previews)
        self.point_bar.sequences_changed.connect(self.prompts.begin_again)
        self._show_previews(self.point_bar.preview.isChecked())

    def _connect_tools(self) -> None:
        self._sequences.changed.connect(self._on_sequences)
        self._edits.edited.connect(self._on_edited)
        self._edits.edited.connect(self.carry.slices.follow)
        self._guard.kept.connect(self._on_kept)
        self.prompts.point.preview.ended.connect(self._on_preview_ended)
        self.prompts.point.hint.changed.connect(self.point_bar.hint.setVisible)
        self.prompts.chosen.connect(self._show_drawn)
        self._runner.status_changed.connect(self._show_result)
        self._runner.busy_changed.connect(self._on_busy)
        self._runner.busy_changed.connect(self.busy_changed)
        self._runner.job_started.connect(self.job_bar.watch)

    @property
    def busy(self) -> bool:
        """Whether a tool runs in a thread."""
        return self._runner.busy

    def show_mask(self, mask: Labels | None, session: Session | None = None) -> None:
        """Choose the mask to correct, and its session, which has the accepted slices."""
        self._release()
        self._layer, self._tools.session = mask, session
        self.look.show_mask(mask)
        problem = edit_problem(mask)
        self.categories.show_mask(mask if problem in ("", UNNAMED) else None)
        self.volume_button.setEnabled(mask is not None and mask.ndim > 2)
        if mask is not None:
            mask.events.features.connect(self._on_categories)
            mask.events.selected_label.connect(self._on_label)
        self._on_categories()

    def event(self, event: QEvent) -> bool:
        """Update the slider and the keys when the tab is shown, entered or hidden.

        A map whose pixels are filled in emits no event, so the slider is updated here. The keys of
        the prompts are bound while the tab is in front.
        """
        if event.type() in (QEvent.Type.Show, QEvent.Type.Enter):
            self._update_map()
        if event.type() == QEvent.Type.Show:
            self.prompts.bind_keys()
            self.carry.bind_keys(self._image())
            self.look.bind_keys()
        elif event.type() == QEvent.Type.Hide and not event.spontaneous():
            self.prompts.unbind_keys()
            self.carry.unbind_keys()
            self.look.unbind_keys()
        return bool(super().event(event))

    def _release(self) -> None:
        self._tools.end_preview()
        self._edits.watch(None)
        if self._layer is not None:
            self._layer.events.features.disconnect(self._on_categories)
            self._layer.events.selected_label.disconnect(self._on_label)
        self._layer = self._tools.mask = None

    def _on_categories(self, _: Any = None) -> None:
        """Use the categories that the mask has now."""
        mask = self._layer
        problem = edit_problem(mask)
        if (now := None if problem else mask) is not self._tools.mask:
            self._tools.mask = now
            self._guard.watch(now)
            self._grey_brush.watch(now)
            self._edits.watch(now)
        self.prompts.show_mask(now, self._tools.session)
        self.carry.slices.show_mask(now, self._tools.session)
        if self.isVisible():
            self.carry.bind_keys(self._image())
        self.show_categories(self._tools.categories, locked_of(now) if now is not None else ())
        self.point_bar.show_sequences(len(self._sequences.all()))
        self._on_busy(self._runner.busy)
        self.status.setText(problem)
        self._update_map()

    def _on_busy(self, busy: bool) -> None:
        self.prompts.point.pause(busy)
        self.categories.setEnabled(not busy)
        self.controls.setEnabled(self._tools.mask is not None and not busy)

    def _update_map(self, _: Any = None) -> None:
        self.show_map(self._tools.probability() is not None)

    def _on_slider(self) -> None:
        if self.slider.isSliderDown():
            self._tools.preview_threshold()
        else:
            self._tools.apply_threshold()

    def _on_released(self) -> None:
        if self._tools.end_preview():
            self._tools.apply_threshold()

    def _show_result(self, text: str) -> None:
        self._edits.settle()
        self._result = text
        self.status.setText(text)

    def _on_edited(self) -> None:
        """Take back the result of a tool that was undone, or that another edit followed."""
        if self._result and self.status.text() == self._result:
            self._show_result("")

    def _on_label(self, _: Any = None) -> None:
        if self._tools.mask is not None:
            self.status.setText("")

    def _on_category(self, _: int) -> None:
        self.prompts.begin_again()
        self._update_map()

    def _limit_brush(self, on: bool) -> None:
        self._grey_brush.is_on = on

    def _on_border(self, on: bool) -> None:
        self.prompts.choose("border" if on else "")

    def _show_drawn(self, name: str) -> None:
        self.point_bar.button.setChecked(name == "point")
        self.border_button.setChecked(name == "border")

    def _undo(self) -> None:
        if self._tools.mask is not None:
            self._tools.mask.undo()

    def _show_previews(self, on: bool) -> None:
        self.prompts.point.show_outlines(on)

    def _on_sequences(self) -> None:
        self.point_bar.show_sequences(len(self._sequences.all()))
        self.prompts.begin_again()

    def _on_preview_ended(self, reason: str) -> None:
        self.point_bar.preview.setChecked(False)
        self.status.setText(reason)

    def _on_kept(self, count: int) -> None:
        self.status.setText(f"{count:,} px of locked categories were restored.")
