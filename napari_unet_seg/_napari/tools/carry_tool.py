"""Carry: from the slice on screen up and down through the object, as one step of undo."""

from __future__ import annotations

import math
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QPushButton

from napari_unet_seg._napari.layers.position import off_screen_problem, place_of, volume_axes
from napari_unet_seg._napari.segment.chosen_model import POINT
from napari_unet_seg._napari.tools.carried_slices import CarriedSlices
from napari_unet_seg._napari.tools.tool_runner import ToolUse
from napari_unet_seg._napari.widgets.keys import KeyBindings, key_of, label_of
from napari_unet_seg.correct.change import join_changes
from napari_unet_seg.correct.prompts import merge
from napari_unet_seg.events import Command, Progress, SliceCarried
from napari_unet_seg.prompting.carrying import beyond

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from napari.layers import Image
    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QWidget

    from napari_unet_seg._napari.tools.carried_slices import Scores
    from napari_unet_seg._napari.tools.point.target import PromptTarget
    from napari_unet_seg._napari.tools.prompt_network import PromptNetwork
    from napari_unet_seg._napari.tools.tool_runner import ToolRunner
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.correct.change import Change
    from napari_unet_seg.io.common.places import Place


_TIP = (
    "Follow the category from this slice up and down through the volume, until nothing more of it "
    "is found. Slices that you accepted or drew on stay, and what they hold of the object helps. "
    "On a slice without it, what was carried beyond this slice is taken away "
    "(key {key}, undo with Ctrl+Z)"
)


class CarryTool(QObject):
    """Carries the chosen category through the volume.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer of the mask.
    runner : ToolRunner
        Runs the carrying, and applies its result.
    target : callable
        Returns the category to carry; None, after showing the reason, if it must not change.
    network : PromptNetwork
        Follows the object from slice to slice.
    parent : QWidget
        The widget with which a running job ends.
    """

    started = Signal()
    """What is in the mask is about to be carried."""

    def __init__(
        self,
        viewer: ViewerModel,
        runner: ToolRunner,
        target: Callable[[], PromptTarget | None],
        network: PromptNetwork,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._runner, self._target = viewer, runner, target
        self._network = network
        self._keys: list[KeyBindings] = []
        self.slices = CarriedSlices(self)
        key = label_of("carry")
        self.button = QPushButton(f"Carry  [{key}]")
        self.button.setToolTip(_TIP.format(key=key))
        self.button.clicked.connect(lambda: self.carry())

    def bind_keys(self, image: Image | None) -> None:
        """Bind the key of Carry, also while the image is selected, where napari uses it too."""
        self.unbind_keys()
        owners = [self._viewer] if image is None else [self._viewer, image]
        self._keys = [KeyBindings(owner) for owner in owners]
        for keys in self._keys:
            keys.bind({key_of("carry"): self.carry})

    def unbind_keys(self) -> None:
        """Restore napari's own keys."""
        for keys in self._keys:
            keys.unbind()
        self._keys = []

    def carry(self) -> None:
        """Carry the chosen category from the slice on screen, or show why it cannot be."""
        target = self._target()
        if target is None:
            return
        over = self._beyond(target)
        if not over and (problem := self._problem(target)):
            self._runner.status_changed.emit(problem)
            return
        self.started.emit()
        name, place = target.category.name, place_of(self._viewer, target.mask)
        use = ToolUse(
            target.mask,
            target.settings.value,
            target.category,
            f"Ended {name} here" if over else f"Carried {name}",
            running=f"Carry {name}",
        )
        labels = np.array(target.mask.data[place[:-1]])
        scores: Scores = {}
        events = (
            _emptied(target, place, labels, over, scores)
            if over
            else self._carried(POINT.current(), target, place, labels, scores)
        )
        self._runner.run_events(use, events, labels, place[:-1], lambda: self.slices.add(scores))

    def _beyond(self, target: PromptTarget) -> list[int]:
        """Return the slices that the category was carried to beyond the slice on screen.

        They are none unless this slice has none of it.
        """
        mask = target.mask
        if volume_axes(mask) < 3 or off_screen_problem(self._viewer, mask, stored=True):
            return []
        *volume, end = place_of(self._viewer, mask)
        labels, value = np.asarray(mask.data[tuple(volume)]), target.settings.value
        if (labels[end] == value).any():
            return []
        holding = set(np.flatnonzero((labels == value).any((1, 2))).tolist())
        carried = {index for index in holding if self.slices.is_carried((*volume, index))}
        return beyond(carried, holding, end)

    def _carried(
        self, model: Path, target: PromptTarget, place: Place, labels: Array, scores: Scores
    ) -> Generator[Progress | Change, Command | None, None]:
        """Carry in a thread; at the end, the scores are filled in and the change is yielded."""
        *volume, start = place
        settings = target.settings
        present = labels == settings.value
        within, walls = self._between_walls(place, len(labels))
        ends = {wall: present[wall] for wall in walls if present[wall].any()}
        found: dict[int, SliceCarried] = {}
        given = {start: present[start]}
        events = self._network.carry(
            model, target.scan, tuple(volume), given, within, ends, target.others
        )
        with closing(events):
            for event in events:
                if not isinstance(event, SliceCarried):
                    continue
                found[event.index] = event
                if (yield Progress(len(found), 0)) is Command.STOP:
                    return
        changes = []
        for index, each in found.items():
            nothing = np.zeros_like(each.mask)
            mask = merge(present[index], each.mask, each.mask, nothing)
            changes.append(settings.change(labels[index], mask).at((index,)))
            scores[(*volume, index)] = each.certainty
        yield join_changes(changes, labels.ndim)

    def _between_walls(self, place: Place, count: int) -> tuple[list[int], list[int]]:
        """Return the slices of a volume up to the next walls below and above, and these walls."""
        *volume, start = place
        within, walls = [], []
        for way in (range(start - 1, -1, -1), range(start + 1, count)):
            for index in way:
                if self.slices.is_wall((*volume, index)):
                    walls.append(index)
                    break
                within.append(index)
        return within, walls

    def _problem(self, target: PromptTarget) -> str:
        mask, name = target.mask, target.category.name
        if volume_axes(mask) < 3:
            return f"{mask.name} is no volume; only through a volume can a category be carried."
        if problem := off_screen_problem(self._viewer, mask, stored=True):
            return problem
        place = place_of(self._viewer, mask)
        if not (np.asarray(mask.data[place]) == target.settings.value).any():
            return f"There is no {name} on this slice to carry; point at it first."
        beside = [(*place[:-1], place[-1] + by) for by in (-1, 1)]
        beside = [there for there in beside if 0 <= there[-1] < mask.data.shape[-3]]
        if all(map(self.slices.is_wall, beside)):
            return "The slices beside this one were decided on or drawn by hand, and stay."
        return ""


def _emptied(
    target: PromptTarget, place: Place, labels: Array, over: list[int], scores: Scores
) -> Generator[Change, Command | None, None]:
    """Take the category away from slices of a volume; the scores are filled in."""
    settings, changes = target.settings, []
    for index in over:
        nothing = np.zeros(labels.shape[1:], bool)
        changes.append(settings.change(labels[index], nothing).at((index,)))
        scores[(*place[:-1], index)] = math.nan
    yield join_changes(changes, labels.ndim)
