"""Masks that are kept inside the brain only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.config import PredictConfig
from napari_unet_seg.events import LeftOut
from napari_unet_seg.inference.predictor import load_predictor
from napari_unet_seg.models import BRAIN

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.inference.slices import SliceReader

_INSIDE = 0.5
"""Share of a part's pixels that lie inside the brain, from which on the whole part is kept."""


class Brain:
    """Finds the brain on the slices of a scan, and what of their masks lies in it.

    Parameters
    ----------
    config : PredictConfig
        Device and precision.
    reader : SliceReader
        Of the scan, with slices across Z; of several channels the first shows the brain.
    """

    def __init__(self, config: PredictConfig, reader: SliceReader) -> None:
        self._predictor = load_predictor(BRAIN, config.device, config.precision)
        self._reader = reader.beside(self._predictor.info)

    def keep_inside(self, index: int, plane: Array) -> tuple[Array, LeftOut]:
        """Return the mask of a slice without the parts outside the brain, and what was removed.

        A part that is mostly inside stays whole: its edge is the lesion's, not the brain's.

        Parameters
        ----------
        index : int
            Running number of the slice.
        plane : array
            Its label values, of shape (Y, X).
        """
        if not plane.any():
            return plane, LeftOut()
        from scipy import ndimage

        images = self._reader.read((index,))
        found = self._predictor.probabilities(images, PredictConfig())[0][0, 0].cpu().numpy()
        inside = ndimage.binary_fill_holes(found >= _INSIDE)
        parts, count = ndimage.label(plane, np.ones((3, 3)))
        shares = ndimage.mean(inside, parts, np.arange(1, count + 1))
        outside = np.flatnonzero(np.asarray(shares) < _INSIDE) + 1
        gone = np.isin(parts, outside)
        removed = LeftOut(len(outside), int(np.count_nonzero(gone)))
        return np.where(gone, 0, plane).astype(plane.dtype), removed
