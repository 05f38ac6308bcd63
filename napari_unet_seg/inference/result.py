"""Labels, probabilities and uncertainty, filled in slice by slice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.inference.uncertainty import entropy
from napari_unet_seg.nn.labels import to_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from napari_unet_seg.config import PredictConfig
    from napari_unet_seg.inference.slices import SliceReader
    from napari_unet_seg.io.weights import CheckpointInfo

Array = np.ndarray[Any, np.dtype[Any]]


class ResultBuffer:
    """The arrays of a prediction, allocated once.

    Attributes
    ----------
    labels : array
        uint8, of the scan's grid.
    probabilities : array or None
        float16 of shape (classes, *grid), if asked for.
    uncertainty : array or None
        float16 entropy in bits, of the scan's grid, if asked for.
    """

    def __init__(self, config: PredictConfig, info: CheckpointInfo, reader: SliceReader) -> None:
        grid = (*reader.leading, *reader.plane)
        self._config, self._head, self._place = config, info.model.head, reader.place
        self.labels = np.zeros(grid, np.uint8)
        self.probabilities: Array | None = None
        self.uncertainty: Array | None = None
        if config.probabilities:
            self.probabilities = np.zeros((info.model.classes, *grid), np.float16)
        if config.uncertainty:
            self.uncertainty = np.zeros(grid, np.float16)

    def fill(self, indices: Sequence[int], probable: torch.Tensor) -> None:
        """Put in the slices of one batch, of shape (B, classes, Y, X)."""
        labels = to_labels(probable, self._head, self._config.threshold).cpu().numpy()
        for number, index in enumerate(indices):
            place = self._place(index)
            self.labels[place] = labels[number]
            if self.probabilities is None and self.uncertainty is None:
                continue
            values = probable[number].cpu().numpy()
            if self.probabilities is not None:
                for value, plane in enumerate(values):
                    self.probabilities[value][place] = plane
            if self.uncertainty is not None:
                self.uncertainty[place] = entropy(values, self._head)
