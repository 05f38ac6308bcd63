"""Carrying masks through a volume, as a generator of events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet_seg import log
from napari_unet_seg.data.prompts.neighbours import lasso_maps
from napari_unet_seg.errors import DataError
from napari_unet_seg.events import Command, SliceCarried
from napari_unet_seg.io.common.places import place_at
from napari_unet_seg.prompting import carrying
from napari_unet_seg.prompting.prompted_slices import PromptedSlices

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Mapping, Sequence
    from pathlib import Path

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import PredictConfig
    from napari_unet_seg.events import DeviceFallback
    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.io.common.window import Windowed, Windows


def carry(
    config: PredictConfig,
    checkpoint: Path,
    scan: Scan,
    given: Mapping[int, Array],
    within: Collection[int] | None = None,
    window: Windows | None = None,
    ends: Mapping[int, Array] | None = None,
    others: Sequence[Windowed] = (),
) -> Generator[SliceCarried | DeviceFallback, Command | None, None]:
    """Carry the masks of some slices up and down until the network finds nothing more.

    Parameters
    ----------
    config : PredictConfig
        Device and precision.
    checkpoint : Path
        A model of slices that was trained with prompts.
    scan : Scan
        One volume or several; its slices are read one at a time.
    given : mapping of int to array
        Masks (Y, X), bool, by the running number of their slice, all of one volume. They stay as
        they are.
    within : collection of int, optional
        Slices that may change, all others are walls; by default the whole volume.
    window : tuple of float, optional
        Intensities that become black and white, if the scan is a part of a larger one.
    ends : mapping of int to array, optional
        Masks of walls, which may hold other objects too. What one holds of the object counts as
        given.
    others : sequence of Windowed
        Further sequences on the scan's grid, whose answers are averaged with those on the scan.

    Yields
    ------
    SliceCarried or DeviceFallback
        One `SliceCarried` for each slice that the object goes on in. Before an end that holds the
        object one may come again; the later one holds. What came before `Command.STOP` can be used.

    Raises
    ------
    CheckpointError
        If the model cannot be read, or was not trained with prompts.
    DataError
        If the scan has no volumes, the masks lie in several, or they do not fit the scan.
    """
    slices = PromptedSlices(config, checkpoint, scan, window, others)
    _check(scan, given)
    allowed = volume_of(scan, next(iter(given))) if within is None else within
    with log.operation("carry", slices=len(given), device=slices.device):
        yield from carried(slices, given, allowed, ends)


def carried(
    slices: PromptedSlices,
    given: Mapping[int, Array],
    within: Collection[int],
    ends: Mapping[int, Array] | None = None,
) -> Generator[SliceCarried | DeviceFallback, Command | None, bool]:
    """Carry masks by a network that is loaded; the return value is whether it was stopped."""

    def probable(index: int, lasso: Array) -> Array:
        return slices.probable(index, lasso_maps(lasso))

    reached: set[int] = set()
    count = len([index for index in within if index not in given])
    for found in carrying.carry(probable, slices.grey, given, within, ends):
        while slices.fallbacks:
            yield slices.fallbacks.pop(0)
        reached.add(found.index)
        event = SliceCarried(found.index, found.mask, found.certainty, len(reached), count)
        if (yield event) is Command.STOP:
            return True
    return False


def volume_of(scan: Scan, index: int) -> range:
    """Return the slices of the volume that a slice is in.

    Raises
    ------
    DataError
        If the scan has no volumes.
    """
    if not scan.grid_axes.endswith("ZYX"):
        raise DataError(
            f"{scan.path or 'The scan'} has the axes {scan.grid_axes} and no volume to carry a "
            "mask through; give prompts on each of its slices."
        )
    depth = scan.grid_shape[-3]
    start = index - place_at(index, scan.grid_shape[:-2])[-1]
    return range(start, start + depth)


def _check(scan: Scan, given: Mapping[int, Array]) -> None:
    if len({volume_of(scan, index) for index in given}) != 1:
        raise DataError("Carrying takes masks of one volume; give one mask or several of it.")
    plane = scan.grid_shape[-2:]
    if wrong := next((mask.shape for mask in given.values() if mask.shape != plane), None):
        raise DataError(f"The slices have the shape {plane} and a mask has {wrong}; give {plane}.")
