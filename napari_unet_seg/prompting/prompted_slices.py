"""The prompt network on the slices of a scan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.data.prompts.marks import PREVIOUS, no_prompts
from napari_unet_seg.errors import DataError
from napari_unet_seg.inference.loaded_model import LoadedModel
from napari_unet_seg.inference.prompted.answer import answer, check, check_grids
from napari_unet_seg.inference.slices import by_chunks
from napari_unet_seg.io.common.channels import for_model
from napari_unet_seg.io.common.named_channels import by_name
from napari_unet_seg.io.common.places import place_at
from napari_unet_seg.io.common.window import Windowed, shared_window, to_grey
from napari_unet_seg.io.disk.files import reading

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import PredictConfig
    from napari_unet_seg.events import DeviceFallback
    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.io.common.window import Windows
    from napari_unet_seg.models.header import CheckpointInfo


class PromptedSlices:
    """Reads the slices of a scan one at a time, and asks the network for the object on them.

    Parameters
    ----------
    config : PredictConfig
        Device and precision.
    checkpoint : Path
        A model of slices that was trained with prompts.
    scan : Scan
        Any number of axes before `YX`; slices are counted along them flattened.
    window : tuple of float, optional
        Intensities that become black and white, if the scan is a part of a larger one.
    others : sequence of Windowed
        Further sequences on the scan's grid; what is probable is the mean over all.

    Raises
    ------
    CheckpointError
        If the model cannot be read, or was not trained with prompts.
    DataError
        If the scan does not fit the model, or another sequence the scan.
    """

    def __init__(
        self,
        config: PredictConfig,
        checkpoint: Path,
        scan: Scan,
        window: Windows | None = None,
        others: Sequence[Windowed] = (),
    ) -> None:
        self._model = LoadedModel(config, checkpoint)
        info = self._model.info
        if info.model.prompts and info.model.dimensions == 3:
            raise DataError(
                f"The model {checkpoint} follows prompts on whole volumes, and here they are given "
                "on slices; choose a model of slices, such as the one of the package."
            )
        self.plane = scan.grid_shape[-2:]
        self._sequence, *self._others = (
            _Sequence(own, window, info) for own, window in [Windowed(scan, window), *others]
        )
        first = self._sequence.slice(0).scan
        check(checkpoint, info, first, no_prompts(self.plane)[:PREVIOUS], None)
        check_grids(scan, others)
        self.fallbacks: list[DeviceFallback] = []
        """What became of the device, for the user; taken out by who tells it."""

    @property
    def trained(self) -> int:
        """Longer side in pixels of the planes that the network was trained on."""
        return self._model.info.image_size

    @property
    def device(self) -> str:
        """Name of the device that the network runs on."""
        return self._model.device

    def grey(self, index: int) -> Array:
        """Return the grey values (Y, X) of a slice of the scan."""
        scan, _ = self._sequence.slice(index)
        return to_grey(scan.data) if "C" in scan.axes else scan.data

    def probable(self, index: int, maps: Array) -> Array:
        """Return the probabilities (Y, X), float32, of the object that maps (4, Y, X) mark."""
        image, window = self._sequence.slice(index)
        others = [each.slice(index) for each in self._others]
        found = np.zeros(self.plane, np.float32)
        while True:
            try:
                sides, probable = answer(
                    self._model.predictor, image, maps[:PREVIOUS], maps[PREVIOUS], window, others
                )
            except Exception as error:
                self.fallbacks.append(self._model.reduce_memory(error))
            else:
                found[sides] = probable
                return found


class _Sequence:
    """The slices of one sequence, read one at a time.

    Parameters
    ----------
    scan : Scan
        Of which the model takes some channels.
    window : tuple of float, optional
        Intensities that become black and white, if not those of the scan.
    info : CheckpointInfo
        Channels and normalisation of the model.
    """

    def __init__(self, scan: Scan, window: Windows | None, info: CheckpointInfo) -> None:
        self._scan, _ = for_model(by_name(scan, info.sequences), info.model.in_channels)
        self._leading = scan.grid_shape[:-2]
        self._planes = by_chunks(self._scan)
        self._window = window or shared_window(self._scan, info.normalise)
        self._last: tuple[int, Array] | None = None

    def slice(self, index: int) -> Windowed:
        """Return a slice in memory, the last one without reading it again."""
        scan, leading = self._scan, len(self._leading)
        if self._last is None or self._last[0] != index:
            with reading(scan.path or "The scan", "a scan"):
                plane = np.asarray(self._planes[place_at(index, self._leading)])
            self._last = index, plane
        one = replace(
            scan,
            data=self._last[1],
            axes=scan.axes[leading:],
            spacing=scan.spacing[leading:],
            names=(),
        )
        return Windowed(one, self._window)
