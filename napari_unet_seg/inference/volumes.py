"""Networks of volumes: overlapping patches, blended along a band of slices."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_unet_seg.inference.tiling import tile_places, tile_window
from napari_unet_seg.inference.tta import look
from napari_unet_seg.nn.labels import probabilities
from napari_unet_seg.nn.layers import logit_channels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_unet_seg.config import PredictConfig
    from napari_unet_seg.inference.predictor import Predictor

    Take = Callable[[range, torch.Tensor, torch.Tensor], None]

Array = np.ndarray[Any, np.dtype[Any]]


class VolumePass:
    """One volume through the network, tile by tile, from its first slice to its last.

    Held are only the slices that the tiles at work reach: those before are handed out, and those
    after are read, when the tiles move on.

    Parameters
    ----------
    predictor : Predictor
        Of a network of volumes.
    config : PredictConfig
        Overlap of the tiles, and how each is looked at.
    indices : range
        Slices of the volume.
    plane : tuple of int
        Size of a slice.
    read : callable
        Returns uint8 slices of shape (B, C, Y, X) for their indices; each is read once.
    take : callable
        Is handed the slices that are done, in their order: indices, probabilities of the
        foreground classes (B, classes, Y, X), and standard deviation over the views (B, Y, X).
    """

    def __init__(
        self,
        predictor: Predictor,
        config: PredictConfig,
        indices: range,
        plane: tuple[int, ...],
        read: Callable[[range], Array],
        take: Take,
    ) -> None:
        info = predictor.info
        self._predictor, self._config = predictor, config
        self._indices, self._read, self._take = indices, read, take
        self._size = (info.patch_slices, info.image_size, info.image_size)
        self._shape = (len(indices), *plane)
        self.places = tile_places(self._shape, self._size, config.overlap)
        self._first = 0
        """The slice that the band begins with."""
        self._images = torch.zeros(0, info.model.in_channels, *plane, dtype=torch.uint8)
        self._sums = torch.zeros(0, logit_channels(info.model) + 2, *plane)
        """Over the tiles, of each slice: logits, spread and, last, their weight."""

    def run(self) -> Iterator[int]:
        """Predict the tiles; yields how many are done."""
        number = itertools.count(1)
        # Their places are ordered along Z.
        for depth, places in itertools.groupby(self.places, key=lambda place: place[0]):
            self._hand_out(depth.start)
            self._read_on(depth.stop)
            for place in places:
                self._add(place)
                yield next(number)
        self._hand_out(self._shape[0])

    def _read_on(self, stop: int) -> None:
        """Let the band end before a slice."""
        new = torch.from_numpy(self._read(self._indices[self._first + len(self._images) : stop]))
        self._images = torch.cat([self._images, new])
        blank = self._sums.new_zeros(len(new), *self._sums.shape[1:])
        self._sums = torch.cat([self._sums, blank])

    def _add(self, place: tuple[slice, ...]) -> None:
        """Predict a tile."""
        depth, *window = place
        held = slice(depth.start - self._first, depth.stop - self._first)
        patch = self._images[(held, slice(None), *window)].movedim(1, 0)[None].float() / 255
        config, head = self._config, self._predictor.info.model.head
        with torch.inference_mode():
            logits, spread = look(self._predictor.logits, patch, config.views, head)
        part = torch.from_numpy(tile_window(place, self._shape, self._size, config.overlap))
        sums = self._sums[(held, slice(None), *window)]
        sums[:, :-2] += (logits[0].cpu() * part).movedim(0, 1)
        sums[:, -2] += spread[0].cpu() * part
        sums[:, -1] += part

    def _hand_out(self, stop: int) -> None:
        """Let the band begin with a slice; those before are done, as no later tile reaches them."""
        count = stop - self._first
        if not count:
            return
        done, self._sums = self._sums[:count], self._sums[count:]
        self._images = self._images[count:]
        weight = done[:, -1:]
        probable = probabilities(done[:, :-2] / weight, self._predictor.info.model.head)
        self._take(self._indices[self._first : stop], probable, done[:, -2] / weight[:, 0])
        self._first = stop
