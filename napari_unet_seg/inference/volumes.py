"""Networks of volumes: overlapping patches, blended."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_unet_seg.inference.tiling import blend_window, tile_starts
from napari_unet_seg.nn.labels import probabilities

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_unet_seg.inference.predictor import Predictor

Array = np.ndarray[Any, np.dtype[Any]]


def tile_places(
    shape: tuple[int, ...], size: tuple[int, ...], overlap: float
) -> list[tuple[slice, ...]]:
    """Where the tiles of a volume lie; an axis shorter than a tile has one, which is as short."""
    starts = [tile_starts(n, s, overlap) for n, s in zip(shape, size, strict=True)]
    return [
        tuple(slice(a, min(a + s, n)) for a, s, n in zip(corner, size, shape, strict=True))
        for corner in itertools.product(*starts)
    ]


class VolumePass:
    """The probabilities of one volume, tile by tile.

    Parameters
    ----------
    predictor : Predictor
        Of a network of volumes.
    volume : array
        uint8 of shape (C, Z, Y, X).
    overlap : float
        Of the tiles.
    """

    def __init__(self, predictor: Predictor, volume: Array, overlap: float) -> None:
        info = predictor.info
        self._predictor = predictor
        self._volume = torch.from_numpy(volume)
        size = (info.patch_slices, info.image_size, info.image_size)
        self._window = torch.from_numpy(blend_window(*size))
        self.places = tile_places(volume.shape[1:], size, overlap)
        self._total: torch.Tensor | None = None
        self._weight = torch.zeros(volume.shape[1:])

    def run(self) -> Iterator[int]:
        """Predict the tiles; yields how many are done."""
        for number, place in enumerate(self.places, 1):
            patch = self._volume[(slice(None), *place)][None].float() / 255
            logits = self._predictor.logits(patch)[0].cpu()
            part = self._window[tuple(slice(0, n) for n in logits.shape[1:])]
            if self._total is None:
                self._total = torch.zeros(len(logits), *self._weight.shape)
            self._total[(slice(None), *place)] += logits * part
            self._weight[place] += part
            yield number

    def probabilities(self) -> torch.Tensor:
        """Probabilities of the foreground classes, of shape (Z, classes, Y, X)."""
        if self._total is None:
            raise ValueError("no tile has been predicted")
        logits = (self._total / self._weight)[None]
        return probabilities(logits, self._predictor.info.model.head)[0].movedim(1, 0)
