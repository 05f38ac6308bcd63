"""A model on a device, which goes on in smaller batches or on the CPU if memory runs out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from napari_unet_seg.events import DeviceFallback, PredictStarted
from napari_unet_seg.inference.predictor import load_predictor
from napari_unet_seg.nn.devices import device_name, is_out_of_memory

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.config import PredictConfig
    from napari_unet_seg.inference.predictor import Predictor
    from napari_unet_seg.models.header import CheckpointInfo

_BATCH = {"cpu": 4, "mps": 64, "cuda": 64}
"""Slices per forward pass on each kind of device, if the configuration sets no batch size."""
_LARGE = 320
"""Network input size in pixels above which the batch on a CPU is halved to stay in its cache."""


class LoadedModel:
    """A model on the device, and in the precision, of a configuration.

    Parameters
    ----------
    config : PredictConfig
        Device, precision, number of threads and batch size.
    checkpoint : Path
        The model, which is loaded again for the CPU if the memory of a GPU runs out.

    Attributes
    ----------
    predictor : Predictor
        The model, ready to run.

    Raises
    ------
    CheckpointError
        If the file is no checkpoint of this package.
    EngineError
        If the device does not exist on this machine.
    """

    def __init__(self, config: PredictConfig, checkpoint: Path) -> None:
        if config.threads:
            torch.set_num_threads(config.threads)
        self.config, self._checkpoint = config, checkpoint
        self.predictor: Predictor = load_predictor(checkpoint, config.device, config.precision)

    @property
    def carries(self) -> bool:
        """Whether the parts of its masks of volumes are outlined anew and carried.

        Of several sequences the prompt network would not know which shows the lesion.
        """
        info, wanted = self.info, self.config.carry
        fits = info.categories[0].is_lesion and info.model.in_channels == 1
        return info.model.classes == 1 and (fits if wanted == "auto" else wanted == "always")

    @property
    def info(self) -> CheckpointInfo:
        """The header of the model."""
        return self.predictor.info

    @property
    def device(self) -> str:
        """Name of the device that the model runs on now."""
        return device_name(self.predictor.device)

    @property
    def batch(self) -> int:
        """Number of slices per forward pass to begin with."""
        if self.config.batch_size:
            return self.config.batch_size
        kind = self.predictor.device.type
        halved = kind == "cpu" and self.info.image_size > _LARGE
        return _BATCH[kind] // 2 if halved else _BATCH[kind]

    def started(self, count: int) -> PredictStarted:
        """Return the event that names device and precision, and the number of slices or tiles."""
        precision = str(self.predictor.dtype).removeprefix("torch.")
        return PredictStarted(self.device, precision, count)

    def reduce_memory(self, error: Exception, batch: int = 1) -> DeviceFallback:
        """Go on with half a batch; after a batch of one slice go on on the CPU.

        The error itself is raised if memory has not run out, or has on the CPU with one slice.
        """
        if not is_out_of_memory(error):
            raise error
        if self.predictor.device.type != "cpu":
            torch.cuda.empty_cache()
        if batch > 1:
            name, half = self.device, batch // 2
            message = f"The {name} ran out of memory; predicting {half} slices at a time now."
            return DeviceFallback(name, half, message)
        if self.predictor.device.type == "cpu":
            raise error
        self.predictor = load_predictor(self._checkpoint, "cpu", self.config.precision)
        message = "The GPU ran out of memory; predicting on the CPU now, which takes longer."
        return DeviceFallback("cpu", self.batch, message)
