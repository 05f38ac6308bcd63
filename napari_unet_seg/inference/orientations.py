"""Prediction of volumes across several axes: one copy of the scan, and the mean of the results."""

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
    from napari_unet_seg.inference.slabs import ArrayFactory, Slabs
    from napari_unet_seg.inference.slices import SliceReader
    from napari_unet_seg.inference.sliding_window import SliceSink


def random_access_reader(
    reader: SliceReader, scratch: ArrayFactory, total: int
) -> Generator[PredictEvent, Command | None, SliceReader | None]:
    """Return a reader that can take slices across any axis.

    A scan that is read lazily is copied to `scratch`, since each slice across Y or X would
    otherwise read the whole scan.

    Parameters
    ----------
    reader : SliceReader
        Of the scan, with slices across Z.
    scratch : ArrayFactory
        Makes the array for the copy.
    total : int
        Number of slices to predict, for the events.

    Returns
    -------
    SliceReader or None
        None after `Command.STOP`.
    """
    if reader.in_memory:
        return reader
    grid = (*reader.leading, *reader.plane)
    copy = scratch.cubes("scan", grid, np.uint8, reader.channels)
    slices = reader.leading[-1]
    for volume in range(0, reader.count, slices):
        for start in range(0, slices, DEPTH):
            numbers = range(start, min(start + DEPTH, slices))
            planes = reader.read([volume + number for number in numbers])
            slab = (*reader.position(volume)[:-1], slice(start, numbers.stop))
            copy[slab] = np.moveaxis(planes, 1, -1)
            if (yield TileDone(0, total)) is Command.STOP:
                return None
    return reader.for_copy(copy)


class OrientationAverage:
    """Mean of the predictions of a scan across several axes.

    Parameters
    ----------
    arrays : ArrayFactory
        Makes the float16 arrays that hold the sums.
    classes : int
        Number of foreground classes.
    reader : SliceReader
        Of the scan.
    axes : int
        Number of axes to average over.
    """

    def __init__(self, arrays: ArrayFactory, classes: int, reader: SliceReader, axes: int) -> None:
        grid = (*reader.leading, *reader.plane)
        names = [*(f"probabilities-{value}" for value in range(classes)), "disagreement"]
        self._sums = [arrays.cubes(name, grid, np.float16) for name in names]
        self._axes = axes

    @contextmanager
    def sink(self, reader: SliceReader) -> Iterator[SliceSink]:
        """Yield a function that adds the predicted slices of a reader across one axis."""
        sums = [reader.slabs(array) for array in self._sums]
        yield functools.partial(self._add, reader, sums)
        for slabs in sums:
            slabs.flush()

    def _add(
        self,
        reader: SliceReader,
        sums: list[Slabs],
        indices: range,
        probabilities: torch.Tensor,
        disagreement: torch.Tensor,
    ) -> None:
        shares = torch.cat([probabilities, disagreement[:, None]], 1) / self._axes
        for index, planes in zip(indices, shares.cpu().numpy(), strict=True):
            for slabs, plane in zip(sums, planes, strict=True):
                slabs.add(reader.position(index), plane)

    def copy_to(self, result: ResultBuffer, reader: SliceReader) -> Iterator[None]:
        """Fill a result slice by slice across Z; yields after each slab of 64 slices."""
        sums = [reader.slabs(array) for array in self._sums]
        for index in range(reader.count):
            position = reader.position(index)
            planes = torch.from_numpy(np.stack([slabs[position] for slabs in sums])).float()
            result.fill((index,), planes[None, :-1], planes[None, -1])
            if (index + 1) % DEPTH == 0:
                yield
