"""The prompt network on the slices of a scan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.data.prompts.marks import PREVIOUS, no_prompts
from napari_unet_seg.errors import DataError
from napari_unet_seg.inference.loaded_model import LoadedModel
from napari_unet_seg.inference.refined import answer, check
from napari_unet_seg.inference.slices import by_chunks
from napari_unet_seg.io.common.channels import for_model
from napari_unet_seg.io.common.named_channels import by_name
from napari_unet_seg.io.common.places import place_at
from napari_unet_seg.io.common.window import shared_window, to_grey
from napari_unet_seg.io.disk.files import reading

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import PredictConfig
    from napari_unet_seg.events import DeviceFallback
    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.io.common.window import Windows


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

    Raises
    ------
    CheckpointError
        If the model cannot be read, or was not trained with prompts.
    DataError
        If the scan does not fit the model.
    """

    def __init__(
        self, config: PredictConfig, checkpoint: Path, scan: Scan, window: Windows | None = None
    ) -> None:
        self._model = LoadedModel(config, checkpoint)
        info = self._model.info
        if info.model.prompts and info.model.dimensions == 3:
            raise DataError(
                f"The model {checkpoint} follows prompts on whole volumes, and here they are given "
                "on slices; choose a model of slices, such as the one of the package."
            )
        self._scan, _ = for_model(by_name(scan, info.sequences), info.model.in_channels)
        self._leading, self.plane = scan.grid_shape[:-2], scan.grid_shape[-2:]
        self._planes = by_chunks(self._scan)
        self._last: tuple[int, Array] | None = None
        check(checkpoint, info, self._slice(0), no_prompts(self.plane)[:PREVIOUS], None)
        self._window = window or shared_window(self._scan, info.normalise)
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
        """Return the grey values (Y, X) of a slice."""
        plane: Array = self._slice(index).data
        return to_grey(plane) if "C" in self._scan.axes else plane

    def probable(self, index: int, maps: Array) -> Array:
        """Return the probabilities (Y, X), float32, of the object that maps (4, Y, X) mark."""
        image, found = self._slice(index), np.zeros(self.plane, np.float32)
        while True:
            try:
                sides, probable = answer(
                    self._model.predictor, image, maps[:PREVIOUS], maps[PREVIOUS], self._window
                )
            except Exception as error:
                self.fallbacks.append(self._model.reduce_memory(error))
            else:
                found[sides] = probable
                return found

    def _slice(self, index: int) -> Scan:
        """Return a slice in memory, the last one without reading it again."""
        scan, leading = self._scan, len(self._leading)
        if self._last is None or self._last[0] != index:
            with reading(scan.path or "The scan", "a scan"):
                plane = np.asarray(self._planes[place_at(index, self._leading)])
            self._last = index, plane
        return replace(
            scan,
            data=self._last[1],
            axes=scan.axes[leading:],
            spacing=scan.spacing[leading:],
            names=(),
        )
