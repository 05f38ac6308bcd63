"""Sliding-window inference of volumes: overlapping tiles, blended within a band of slices."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import torch

from napari_unet_seg.inference.tiling import tile_slices, tile_weights
from napari_unet_seg.inference.tta import augmented_forward
from napari_unet_seg.nn.labels import to_probabilities
from napari_unet_seg.nn.layers import logit_channels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import PredictConfig
    from napari_unet_seg.inference.predictor import Predictor

    SliceSink = Callable[[range, torch.Tensor, torch.Tensor], None]
    """Receives predicted slices: running numbers, probabilities (B, classes, Y, X) of the
    foreground classes, and standard deviation over the views (B, Y, X)."""


class SlidingWindow:
    """Prediction of one volume, tile by tile, from its first slice to its last.

    Only the band of slices that the current tiles cover is in memory. When the tiles move on along
    Z, finished slices go to `sink` and the next slices are read.

    Parameters
    ----------
    predictor : Predictor
        Of a 3D network.
    config : PredictConfig
        Overlap of the tiles, and the views of test-time augmentation.
    indices : range
        Running numbers of the slices of the volume.
    plane : tuple of int
        Height and width of a slice in pixels.
    read : callable
        Returns uint8 slices of shape (B, C, Y, X) for their running numbers; each slice is read
        once.
    sink : callable
        Receives the finished slices in their order, see `SliceSink`.

    Attributes
    ----------
    tiles : list of tuple of slice
        Index of each tile in the volume, in the order of Z.
    """

    def __init__(
        self,
        predictor: Predictor,
        config: PredictConfig,
        indices: range,
        plane: tuple[int, ...],
        read: Callable[[range], Array],
        sink: SliceSink,
    ) -> None:
        info = predictor.info
        self._predictor, self._config = predictor, config
        self._indices, self._read, self._sink = indices, read, sink
        self._size = (info.patch_slices, info.image_size, info.image_size)
        self._shape = (len(indices), *plane)
        self.tiles = tile_slices(self._shape, self._size, config.overlap)
        self._first = 0
        """First slice of the band."""
        self._images = torch.zeros(0, info.model.in_channels, *plane, dtype=torch.uint8)
        self._sums = torch.zeros(0, logit_channels(info.model) + 2, *plane)
        """Weighted sums over the tiles, for each slice: logits, disagreement, and the weights."""

    def run(self) -> Iterator[int]:
        """Predict the tiles; yields the number of tiles done after each tile."""
        number = itertools.count(1)
        # The tiles are ordered along Z.
        for depth, tiles in itertools.groupby(self.tiles, key=lambda tile: tile[0]):
            self._finish(depth.start)
            self._read_until(depth.stop)
            for tile in tiles:
                self._add(tile)
                yield next(number)
        self._finish(self._shape[0])

    def _read_until(self, stop: int) -> None:
        """Extend the band to the slice before `stop`."""
        new = torch.from_numpy(self._read(self._indices[self._first + len(self._images) : stop]))
        self._images = torch.cat([self._images, new])
        blank = self._sums.new_zeros(len(new), *self._sums.shape[1:])
        self._sums = torch.cat([self._sums, blank])

    def _add(self, tile: tuple[slice, ...]) -> None:
        """Predict a tile and add it to the sums."""
        depth, *window = tile
        in_band = (slice(depth.start - self._first, depth.stop - self._first), slice(None), *window)
        image = self._images[in_band].movedim(1, 0)[None].float() / 255
        config, head = self._config, self._predictor.info.model.head
        with torch.inference_mode():
            logits, disagreement = augmented_forward(
                self._predictor.logits, image, config.views, head
            )
        weights = torch.from_numpy(tile_weights(tile, self._shape, self._size, config.overlap))
        sums = self._sums[in_band]
        sums[:, :-2] += (logits[0].cpu() * weights).movedim(0, 1)
        sums[:, -2] += disagreement[0].cpu() * weights
        sums[:, -1] += weights

    def _finish(self, stop: int) -> None:
        """Send the slices before `stop`, which no later tile covers, to the sink."""
        count = stop - self._first
        if not count:
            return
        done, self._sums = self._sums[:count], self._sums[count:]
        self._images = self._images[count:]
        weight = done[:, -1:]
        probabilities = to_probabilities(done[:, :-2] / weight, self._predictor.info.model.head)
        self._sink(self._indices[self._first : stop], probabilities, done[:, -2] / weight[:, 0])
        self._first = stop


def sample_probabilities(predictor: Predictor, image: Array, config: PredictConfig) -> torch.Tensor:
    """Compute probabilities (1, classes, Y, X) of a slice, (Z, classes, Y, X) of a volume.

    The image is uint8 of shape (C, Y, X) or (C, Z, Y, X).
    """
    if image.ndim == 3:
        return predictor.probabilities(image[None], config)[0]
    slices: list[torch.Tensor] = []
    window = SlidingWindow(
        predictor,
        config,
        range(image.shape[1]),
        image.shape[2:],
        lambda i: np.moveaxis(image[:, i.start : i.stop], 1, 0).copy(),
        lambda _, probabilities, __: slices.append(probabilities),
    )
    for _ in window.run():
        pass
    return torch.cat(slices)
