"""The predictions of a session as one array."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.io.common.places import index_at, is_place

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.common.places import Part
    from napari_unet_seg.session.stored.masks import MaskStore


class Predictions:
    """The present prediction of each slice: the later prediction, else the original one.

    Predictions can be indexed by the place of a slice or another plane of the volume, or converted
    to an array, and are read from disk then.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, masks: MaskStore) -> None:
        self._masks = masks
        self.shape = masks.shape
        self.ndim = len(masks.shape)

    def __getitem__(self, part: Part) -> Array:
        if is_place(part):
            return self._masks.read_prediction(index_at(part, self.shape[:-2]))
        return np.asarray(self)[part]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        whole = self._masks.prediction()
        for index in self._masks.predicted_later():
            whole[self._masks.place(index)] = self._masks.read_prediction(index)
        return whole if dtype is None else whole.astype(dtype)
