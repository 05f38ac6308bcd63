"""Segmentation of the objects that prompts mark in a scan, as a generator of events."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg import log
from napari_unet_seg.config import Category
from napari_unet_seg.errors import DataError
from napari_unet_seg.events import Command, ScanRefined, SliceCarried, SliceRefined
from napari_unet_seg.inference.prompted.answer import not_on_grid
from napari_unet_seg.io.common.grids.resampling import shares_grid
from napari_unet_seg.io.common.places import place_at
from napari_unet_seg.io.common.window import Windowed
from napari_unet_seg.io.prompts.placing import placed
from napari_unet_seg.prompting.carry import carried, volume_of
from napari_unet_seg.prompting.carrying import certainty_of
from napari_unet_seg.prompting.drawing import drawn
from napari_unet_seg.prompting.prompted_slices import PromptedSlices

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import PredictConfig
    from napari_unet_seg.events import RefineEvent
    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.io.prompts.entries import Prompts
    from napari_unet_seg.io.prompts.placing import Marked

_MOST = 254
"""Categories that a mask of uint8 holds beside the value of unreviewed pixels."""


def refine_scan(
    config: PredictConfig,
    checkpoint: Path,
    scan: Scan,
    prompts: Prompts,
    *,
    carry: bool = False,
    others: Sequence[Scan] = (),
    source: str = "The prompts",
) -> Generator[RefineEvent, Command | None, None]:
    """Segment the objects that prompts mark, on their slices or through their volumes.

    Parameters
    ----------
    config : PredictConfig
        Threshold and device.
    checkpoint : Path
        A model of slices that was trained with prompts.
    scan : Scan
        Slices or volumes; slices are read one at a time.
    prompts : Prompts
        The objects; of two that overlap the later one is on top.
    carry : bool
        Whether to carry each object from its prompts up and down through its volume.
    others : sequence of Scan
        Further sequences on the scan's grid: the network looks at all, and its probabilities are
        averaged.
    source : str
        Where the prompts come from, for messages.

    Yields
    ------
    RefineEvent
        `SliceRefined` for each slice with prompts, `SliceCarried` for each slice carried to, and
        `ScanRefined` with the labels at the end; `DeviceFallback` if memory ran out. After
        `Command.STOP` no result follows.

    Raises
    ------
    CheckpointError
        If the model cannot be read, or was not trained with prompts.
    DataError
        If the prompts or further sequences do not fit the scan, or the scan does not fit the model.
    """
    start = time.perf_counter()
    if wrong := next((other for other in others if not shares_grid(other, scan)), None):
        raise not_on_grid(wrong, scan)
    marked = placed(prompts, scan, source)
    categories = categories_of(prompts)
    parts = [_by_volume(scan, marks) if carry else [marks] for marks in marked]
    slices = PromptedSlices(config, checkpoint, scan, others=[*map(Windowed, others)])
    job = _Job(slices, scan, config.threshold, sum(map(len, marked)))
    with log.operation("refine", objects=len(marked), slices=job.count, device=slices.device):
        for number, (one, marks) in enumerate(zip(prompts.objects, parts, strict=True), 1):
            value = categories.index(one.category) + 1
            for part in marks:
                given = yield from job.answered(part, number, value)
                if given is None or (carry and given and (yield from job.carried(given, value))):
                    return
        named = tuple(Category(id=i, name=name) for i, name in enumerate(categories, 1))
        seconds = time.perf_counter() - start
        yield ScanRefined(job.labels, job.certainty, named, slices.device, seconds)


class _Job:
    """The labels and the certainty of a scan, and what adds objects to them."""

    def __init__(self, slices: PromptedSlices, scan: Scan, threshold: float, count: int) -> None:
        self._slices, self._scan, self._threshold = slices, scan, threshold
        self.count, self._done = count, 0
        self.labels = np.zeros(scan.grid_shape, np.uint8)
        self.certainty = np.full(scan.grid_shape[:-2], np.nan, np.float32)

    def answered(
        self, marked: Marked, number: int, value: int
    ) -> Generator[RefineEvent, Command | None, dict[int, Array] | None]:
        """Segment an object where it is marked; return the masks found, or None if stopped."""
        given = {}
        for index, marks in marked.items():
            maps = drawn(marks, self._slices.plane, self._slices.trained)
            probable = self._slices.probable(index, maps)
            while self._slices.fallbacks:
                yield self._slices.fallbacks.pop(0)
            mask, sure = probable >= self._threshold, certainty_of(probable)
            if mask.any():
                given[index] = mask
            self._add(index, mask, sure, value)
            self._done += 1
            event = SliceRefined(number, index, mask, sure, self._done, self.count)
            if (yield event) is Command.STOP:
                return None
        return given

    def carried(
        self, given: dict[int, Array], value: int
    ) -> Generator[RefineEvent, Command | None, bool]:
        """Carry an object through its volume; the return value is whether it was stopped."""
        found: dict[int, SliceCarried] = {}
        within = volume_of(self._scan, next(iter(given)))
        events = carried(self._slices, given, within)
        command = None
        while True:
            try:
                event = events.send(command)
            except StopIteration as ended:
                for index, each in found.items():
                    self._add(index, each.mask, each.certainty, value)
                return bool(ended.value)
            if isinstance(event, SliceCarried):
                found[event.index] = event
            command = yield event

    def _add(self, index: int, mask: Array, certainty: float, value: int) -> None:
        if not mask.any():
            return
        place = place_at(index, self.certainty.shape)
        self.labels[place][mask] = value
        self.certainty[place] = np.fmin(self.certainty[place], certainty)


def categories_of(prompts: Prompts) -> list[str]:
    """Return the categories in the order in which they first come, the values of the labels.

    Raises
    ------
    DataError
        If there are too many for a mask.
    """
    names = list(dict.fromkeys(one.category for one in prompts.objects))
    if len(names) > _MOST:
        raise DataError(
            f"The prompts are of {len(names)} categories and a mask holds {_MOST}; split them."
        )
    return names


def _by_volume(scan: Scan, marked: Marked) -> list[Marked]:
    """Return the marks of an object apart for each volume."""
    parts: dict[int, Marked] = {}
    for index, marks in marked.items():
        parts.setdefault(volume_of(scan, index).start, {})[index] = marks
    return list(parts.values())
