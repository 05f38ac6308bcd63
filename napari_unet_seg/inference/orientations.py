"""Volumes that are cut across other axes than the scan's slices: read once, and averaged."""

from __future__ import annotations

import functools
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch

from napari_unet_seg.events import Command, PredictEvent, TileDone
from napari_unet_seg.inference.slabs import DEPTH

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from napari_unet_seg.inference.result import ResultBuffer
    from napari_unet_seg.inference.slabs import Arrays, Slabs
    from napari_unet_seg.inference.slices import SliceReader
    from napari_unet_seg.inference.volumes import Take


def at_hand(
    reader: SliceReader, scratch: Arrays, total: int
) -> Generator[PredictEvent, Command | None, SliceReader | None]:
    """Return a reader that may cut across any axis; a scan that is read lazily is copied for it.

    Every other way to cut it would read all of it for each of its slices.

    Returns
    -------
    SliceReader or None
        None where it was stopped.
    """
    if reader.in_memory:
        return reader
    grid = (*reader.leading, *reader.plane)
    array = scratch.cubes("scan", grid, np.uint8, reader.channels)
    slices = reader.leading[-1]
    for volume in range(0, reader.count, slices):
        for start in range(0, slices, DEPTH):
            numbers = range(start, min(start + DEPTH, slices))
            found = reader.read([volume + number for number in numbers])
            place = (*reader.place(volume)[:-1], slice(start, numbers.stop))
            array[place] = np.moveaxis(found, 1, -1)
            if (yield TileDone(0, total)) is Command.STOP:
                return None
    return reader.of_copy(array)


class CutAverage:
    """The mean over several ways to cut the volumes of a scan.

    Parameters
    ----------
    arrays : Arrays
        Where it is kept until the last slice is added.
    classes : int
        Foreground classes.
    reader : SliceReader
        Of the scan.
    cuts : int
        How many ways there are.
    """

    def __init__(self, arrays: Arrays, classes: int, reader: SliceReader, cuts: int) -> None:
        grid = (*reader.leading, *reader.plane)
        names = [*(f"probable-{value}" for value in range(classes)), "spread"]
        self._sums = [arrays.cubes(name, grid, np.float16) for name in names]
        self._cuts = cuts

    @contextmanager
    def along(self, reader: SliceReader) -> Iterator[Take]:
        """Give what takes the slices of a reader, one of those that cut the scan."""
        sums = [reader.slabs(array) for array in self._sums]
        yield functools.partial(self._add, reader, sums)
        for slabs in sums:
            slabs.flush()

    def _add(
        self,
        reader: SliceReader,
        sums: list[Slabs],
        indices: range,
        probable: torch.Tensor,
        spread: torch.Tensor,
    ) -> None:
        shares = torch.cat([probable, spread[:, None]], 1) / self._cuts
        for index, planes in zip(indices, shares.cpu().numpy(), strict=True):
            for slabs, plane in zip(sums, planes, strict=True):
                slabs.add(reader.place(index), plane)

    def pour(self, result: ResultBuffer, reader: SliceReader) -> Iterator[None]:
        """Fill a result, slice by slice across Z; yields after each slab."""
        sums = [reader.slabs(array) for array in self._sums]
        for index in range(reader.count):
            place = reader.place(index)
            planes = torch.from_numpy(np.stack([slabs[place] for slabs in sums])).float()
            result.fill((index,), planes[None, :-1], planes[None, -1])
            if (index + 1) % DEPTH == 0:
                yield
