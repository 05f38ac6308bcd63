"""The prompt network in a child process of its own, which stays ready between prompts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg._napari.segment.chosen_model import POINT, last_config
from napari_unet_seg.config import PredictConfig
from napari_unet_seg.events import Refined
from napari_unet_seg.io.common.places import of_part
from napari_unet_seg.process.warm_engine import WarmEngine

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Mapping, Sequence
    from pathlib import Path

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.events import Command, DeviceFallback, SliceCarried
    from napari_unet_seg.io.common.places import Part, Place
    from napari_unet_seg.io.common.scan import Scan


class PromptNetwork:
    """Segments what prompts mark on a plane of a scan.

    What a question asks is chosen with it, on the main thread: by the time that a thread comes to
    it, another network may be chosen for Point.
    """

    def __init__(self) -> None:
        self._engine = WarmEngine()

    @property
    def warming(self) -> bool:
        """Whether the network is being loaded right now."""
        return self._engine.warming

    def warm_up(self) -> None:
        """Load the network that is chosen for Point in the background."""
        self._engine.warm_up(_config(), POINT.current())

    def find(
        self,
        model: Path,
        scan: Scan,
        place: Part,
        prompts: Array,
        previous: Array,
        others: Sequence[Scan] = (),
    ) -> Array:
        """Return the mask of the marked object on a plane, bool (Y, X); blocks meanwhile.

        Parameters
        ----------
        model : Path
            Checkpoint of the network that is asked.
        scan : Scan
            The whole scan, whose intensity window the plane is seen in.
        place : tuple of int or slice
            Index of the plane.
        prompts : array
            Maps of positive prompts, negative prompts and boxes, bool (3, Y, X).
        previous : array
            The present mask of the object, bool (Y, X).
        others : sequence of Scan
            Further sequences on the grid of the scan, which the network looks at too.

        Raises
        ------
        SegmentationError
            If the network cannot be read or run.
        """
        mask = np.zeros(of_part(scan.grid_shape, place), bool)
        asked = scan, place, prompts, previous, others
        for event in self._engine.refine(_config(), model, *asked):
            if isinstance(event, Refined):
                mask[event.window] = event.mask
        return mask

    def carry(
        self,
        model: Path,
        scan: Scan,
        volume: Place,
        given: Mapping[int, Array],
        within: Collection[int],
        ends: Mapping[int, Array],
        others: Sequence[Scan] = (),
    ) -> Generator[SliceCarried | DeviceFallback, Command | None, None]:
        """Carry masks through a volume of a scan by a network; see `WarmEngine.carry`."""
        args = scan, volume, given, within, ends, others
        yield from self._engine.carry(_config(), model, *args)

    def close(self) -> None:
        """End the child process."""
        self._engine.close()


def _config() -> PredictConfig:
    """Return the default settings on the device that Segment uses.

    Half of the processor is left to the window, which draws while the network answers.
    """
    used, threads = last_config(), max(1, (os.cpu_count() or 1) // 2)
    return PredictConfig(device=used.device, precision=used.precision, threads=threads)
