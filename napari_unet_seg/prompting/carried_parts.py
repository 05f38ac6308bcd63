"""Parts of the mask of a volume, outlined anew by the prompt network and carried.

An automatic network of slices sees none of a slice's neighbours: of a lesion it finds the slices
that it is sure of, and misses others. Clicked where it was found, the lesion is outlined by the
prompt network and carried through all of its slices. What is no lesion is mostly carried to where
the automatic network found nothing, and is left alone by that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.data.prompts.simulation import click_maps
from napari_unet_seg.events import Command, SliceCarried, TileDone
from napari_unet_seg.inference.removal.parts import Part, numbered, parts_of
from napari_unet_seg.models import PROMPT_NETWORK
from napari_unet_seg.prompting.carry import carried
from napari_unet_seg.prompting.carrying import LEAST
from napari_unet_seg.prompting.prompted_slices import PromptedSlices

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import PredictConfig
    from napari_unet_seg.events import PredictEvent
    from napari_unet_seg.inference.result import ResultBuffer
    from napari_unet_seg.inference.scan_prediction import Prediction
    from napari_unet_seg.inference.slices import SliceReader

    Planes = dict[int, Array]
    Carrying = Generator[PredictEvent, Command | None, dict[int, Array] | None]

LARGEST = 10
"""Parts of a volume that are outlined anew at most."""
LARGE = 1 / 3
"""Share of the largest part's voxels that a part needs to be outlined anew: most smaller ones are
false, and would only grow."""
CLICKED = (0.25, 0.5, 0.75)
"""Where a part is clicked: shares of its voxels on the slices before. Three clicks were better than
one click, a box or a lasso on the tuning patients of `lgg-flair`: see `accuracy.carried_parts`."""
FOUND = 0.2
"""Share of a carried outline in the automatic mask, below which it is of something else: the part
stays as it was."""
COVERED = 0.7
"""Share of a part in its carried outline, below which carrying has ended too early: both count."""
_THRESHOLD = 0.5


def carry_parts(config: PredictConfig, reader: SliceReader, result: ResultBuffer) -> Prediction:
    """Outline the large parts of all volumes anew, if a scan has volumes and the masks parts.

    Parameters
    ----------
    config : PredictConfig
        Device and precision.
    reader : SliceReader
        Of the scan; of several channels the first shows the lesion.
    result : ResultBuffer
        A prediction of one category, whose masks change.
    """
    if not reader.volumes:
        return False
    slices = PromptedSlices(config, PROMPT_NETWORK, reader.scan, reader.grey_window)
    for volume in np.ndindex(reader.leading[:-1]):
        parts = _large_parts(result.labels, volume)
        if parts and (yield from _Volume(slices, reader, result, volume).carry(parts)):
            return True
    return False


def _large_parts(labels: Any, volume: tuple[int, ...]) -> list[Part]:
    """Return the large parts of a volume; none of a mask that is noise."""
    parts = parts_of(labels, volume)
    found = parts.largest(LARGEST) if parts else []
    return [part for part in found if part.size >= LARGE * found[0].size]


class _Volume:
    """A volume whose parts are carried one by one; its mask changes when all are.

    Masks of slices are packed, eight pixels a byte.
    """

    def __init__(
        self,
        slices: PromptedSlices,
        reader: SliceReader,
        result: ResultBuffer,
        volume: tuple[int, ...],
    ) -> None:
        self._slices, self._result, self._volume = slices, result, volume
        self._plane = reader.plane
        first = int(np.ravel_multi_index((*volume, 0), reader.leading))
        self._within = range(first, first + reader.leading[-1])
        self._removed: Planes = {}
        self._added: Planes = {}

    def carry(self, parts: list[Part]) -> Prediction:
        """Carry parts and change the mask; the return value is whether it was stopped."""
        for number, part in enumerate(parts):
            done = TileDone(number, len(parts))
            outline = yield from self._outlined(part, done)
            if outline is None:
                return True
            if self._is_found(outline):
                self._take(part, outline)
        for index in sorted(self._removed.keys() | self._added.keys()):
            self._change(index)
        return False

    def _outlined(self, part: Part, done: TileDone) -> Carrying:
        """Return the outline of a part by slice, from clicks on some slices; None if stopped."""
        given = yield from self._clicked(part, done)
        if given is None:
            return None
        outline = {index: np.packbits(mask) for index, mask in given.items()}
        events = carried(self._slices, given, self._within)
        command = None
        while True:
            try:
                event = events.send(command)
            except StopIteration as ended:
                first = self._within.start
                return None if ended.value else {i - first: mask for i, mask in outline.items()}
            if isinstance(event, SliceCarried):
                outline[event.index] = np.packbits(event.mask)
                command = yield done
            else:
                command = yield event

    def _clicked(self, part: Part, done: TileDone) -> Carrying:
        """Return the masks of a part's clicks by running number; None if stopped."""
        scale = min(1.0, max(self._plane) / self._slices.trained)
        given: dict[int, Array] = {}
        for index in _places(part):
            maps = click_maps(self._part(index, part.numbers[index]), scale)
            mask = self._slices.probable(self._within[index], maps) >= _THRESHOLD
            while self._slices.fallbacks:
                yield self._slices.fallbacks.pop(0)
            if mask.any():
                given[self._within[index]] = mask
            if (yield done) is Command.STOP:
                return None
        return given

    def _found(self, index: int) -> Array:
        return np.asarray(self._result.labels[(*self._volume, index)])

    def _part(self, index: int, numbers: list[int]) -> Array:
        return np.isin(numbered(self._found(index))[0], numbers)

    def _is_found(self, outline: Planes) -> bool:
        """Whether the automatic network found enough of an outline."""
        found = sum(_count(mask & np.packbits(self._found(i) > 0)) for i, mask in outline.items())
        return found > 0 and found >= FOUND * sum(map(_count, outline.values()))

    def _take(self, part: Part, outline: Planes) -> None:
        """Put an outline in the place of a part, or beside it if it holds too little of it."""
        own = {i: np.packbits(self._part(i, numbers)) for i, numbers in part.numbers.items()}
        covered = sum(_count(own[index] & outline[index]) for index in own.keys() & outline)
        if covered >= COVERED * part.size:
            _join(self._removed, own)
        _join(self._added, outline)
        self._result.carried += 1

    def _change(self, index: int) -> None:
        plane = np.array(self._found(index))
        for planes, value in ((self._removed, 0), (self._added, 1)):
            if index in planes:
                bits = np.unpackbits(planes[index], count=plane.size)
                plane[bits.reshape(plane.shape) > 0] = value
        self._result.change((*self._volume, index), plane)


def _places(part: Part) -> list[int]:
    """Return the slices on which a part is clicked."""
    indices, voxels = list(part.voxels), list(part.voxels.values())
    places = np.searchsorted(np.cumsum(voxels) / sum(voxels), CLICKED)
    return sorted({indices[at] for at in places if voxels[at] >= LEAST})


def _count(packed: Array) -> int:
    return int(np.unpackbits(packed).sum())


def _join(planes: Planes, more: Planes) -> None:
    for index, packed in more.items():
        planes[index] = planes[index] | packed if index in planes else packed
