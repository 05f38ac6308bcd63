"""Networks of volumes: overlapping patches, blended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_unet_seg.inference.tiling import tile_places, tile_window
from napari_unet_seg.inference.views import look
from napari_unet_seg.nn.labels import probabilities
from napari_unet_seg.nn.layers import logit_channels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_unet_seg.config import PredictConfig
    from napari_unet_seg.inference.predictor import Predictor

Array = np.ndarray[Any, np.dtype[Any]]


class VolumePass:
    """The probabilities of one volume, tile by tile.

    Parameters
    ----------
    predictor : Predictor
        Of a network of volumes.
    volume : array
        uint8 of shape (C, Z, Y, X).
    config : PredictConfig
        Overlap of the tiles, and how each is looked at.
    """

    def __init__(self, predictor: Predictor, volume: Array, config: PredictConfig) -> None:
        info = predictor.info
        self._predictor, self._config = predictor, config
        self._volume = torch.from_numpy(volume)
        self._size = (info.patch_slices, info.image_size, info.image_size)
        shape = volume.shape[1:]
        self.places = tile_places(shape, self._size, config.overlap)
        self._logits = torch.zeros(logit_channels(info.model), *shape)
        self._spread = torch.zeros(shape)
        self._weight = torch.zeros(shape)

    def run(self) -> Iterator[int]:
        """Predict the tiles; yields how many are done."""
        shape = tuple(self._weight.shape)
        for number, place in enumerate(self.places, 1):
            patch = self._volume[(slice(None), *place)][None].float() / 255
            with torch.inference_mode():
                logits, spread = look(
                    self._predictor.logits,
                    patch,
                    self._config.views,
                    self._predictor.info.model.head,
                )
            part = torch.from_numpy(tile_window(place, shape, self._size, self._config.overlap))
            self._logits[(slice(None), *place)] += logits[0].cpu() * part
            self._spread[place] += spread[0].cpu() * part
            self._weight[place] += part
            yield number

    def probabilities(self) -> torch.Tensor:
        """Probabilities of the foreground classes, of shape (Z, classes, Y, X)."""
        logits = (self._logits / self._weight)[None]
        return probabilities(logits, self._predictor.info.model.head)[0].movedim(1, 0)

    def spread(self) -> torch.Tensor:
        """Standard deviation over the views, of shape (Z, Y, X)."""
        return self._spread / self._weight
