"""Labels and maps of a prediction, filled slice by slice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.events import LeftOut, PredictFinished
from napari_unet_seg.inference.predicted_dice import (
    agreeing,
    emptied_dice,
    predicted_dice,
    slice_dice,
)
from napari_unet_seg.inference.removal.small_parts import remove_small_parts
from napari_unet_seg.inference.slabs import ArrayFactory
from napari_unet_seg.inference.uncertainty import entropy
from napari_unet_seg.nn.labels import to_labels

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import torch

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import PredictConfig
    from napari_unet_seg.inference.removal.brain import Brain
    from napari_unet_seg.inference.slices import SliceReader
    from napari_unet_seg.models.header import CheckpointInfo


class ResultBuffer:
    """The arrays of a prediction, allocated once: in memory, or as Zarr in a folder.

    Parameters
    ----------
    config : PredictConfig
        Which maps to keep.
    info : CheckpointInfo
        Of the model.
    reader : SliceReader
        Of the scan.
    folder : Path, optional
        Where the arrays are kept instead of in memory, one chunk per slice.

    Attributes
    ----------
    arrays : ArrayFactory
        Makes the other arrays.
    labels : array
        uint8 label values, of the scan's grid.
    probabilities : array or None
        float16 of shape (classes, *grid), if the configuration asks for it.
    uncertainty, disagreement : array or None
        float16 of the scan's grid, if the configuration asks for it: entropy in bits; standard
        deviation over the views.
    dice : array
        float32 of the leading axes' shape: the predicted Dice of each slice, NaN if not known.
    left_out : LeftOut
        Small parts that `remove_small` has removed.
    outside : LeftOut
        Parts of slices that `keep_inside` has removed.
    carried : int
        Parts of volumes that were outlined anew.
    """

    def __init__(
        self,
        config: PredictConfig,
        info: CheckpointInfo,
        reader: SliceReader,
        folder: Path | None = None,
    ) -> None:
        grid = (*reader.leading, *reader.plane)
        self._config, self._info, self._position = config, info, reader.position
        self._volumes = list(np.ndindex(reader.leading[:-1])) if reader.volumes else []
        self.arrays = ArrayFactory(folder)
        self.labels = self._array("labels", grid, np.uint8)
        self.dice = np.zeros(reader.leading, np.float32)
        self._dice_of_nothing = np.zeros_like(self.dice)
        self.left_out = self.outside = LeftOut()
        self.carried = 0
        self.probabilities = self._map("probabilities", (info.model.classes, *grid))
        self.uncertainty = self._map("uncertainty", grid)
        self.disagreement = self._map("disagreement", grid)

    def _map(self, name: str, shape: tuple[int, ...]) -> Any:
        return self._array(name, shape, np.float16) if getattr(self._config, name) else None

    def _array(self, name: str, shape: tuple[int, ...], dtype: Any) -> Any:
        return self.arrays.zeros(name, shape, dtype, (*(1,) * (len(shape) - 2), *shape[-2:]))

    def fill(
        self, indices: Sequence[int], probabilities: torch.Tensor, disagreement: torch.Tensor
    ) -> None:
        """Store the slices of one batch.

        Parameters
        ----------
        indices : sequence of int
            Running numbers of the slices.
        probabilities : Tensor
            Of the foreground classes, of shape (B, classes, Y, X).
        disagreement : Tensor
            Standard deviation over the views, of shape (B, Y, X).
        """
        head = self._info.model.head
        found = to_labels(probabilities, head, self._config.threshold)
        dice = nothing = predicted_dice(probabilities, found, self._info)
        if (self._volumes and self._config.remove_small) or self._config.inside_brain:
            nothing = emptied_dice(probabilities, found, self._info)
        labels = found.cpu().numpy()
        for number, index in enumerate(indices):
            position = self._position(index)
            self.labels[position] = labels[number]
            self.dice[position] = dice[number]
            self._dice_of_nothing[position] = nothing[number]
            if self.disagreement is not None:
                self.disagreement[position] = disagreement[number].cpu().numpy()
            if self.probabilities is None and self.uncertainty is None:
                continue
            values = probabilities[number].cpu().numpy()
            if self.probabilities is not None:
                for value, plane in enumerate(values):
                    self.probabilities[(value, *position)] = plane
            if self.uncertainty is not None:
                self.uncertainty[position] = entropy(values, head)

    def keep_inside(self, brain: Brain) -> Iterator[None]:
        """Remove what lies outside the brain; yields after each slice."""
        for index in range(self.dice.size):
            position = self._position(index)
            kept, removed = brain.keep_inside(index, np.asarray(self.labels[position]))
            if removed.parts:
                self.labels[position] = kept
                self.outside += removed
                self._tell_emptied(position, kept)
            yield

    def _tell_emptied(self, position: tuple[int, ...], plane: Array) -> None:
        if not plane.any():
            self.dice[position] = self._dice_of_nothing[position]

    def remove_small(self) -> None:
        """Remove the small parts from the masks of volumes, if the configuration asks for it."""
        if not self._config.remove_small:
            return
        for volume in self._volumes:
            removed, emptied = remove_small_parts(self.labels, volume, self._config.small)
            self.left_out += removed
            for index in emptied:
                self.dice[(*volume, index)] = self._dice_of_nothing[(*volume, index)]

    def change(self, position: tuple[int, ...], plane: Array) -> None:
        """Put another mask in the place of a slice's.

        Its predicted Dice is at most the Dice between both: where they differ one is wrong.
        """
        agreement = slice_dice(plane, np.asarray(self.labels[position]))
        self.dice[position] = np.minimum(self.dice[position], agreement)
        self.labels[position] = plane

    def compare_neighbours(self) -> None:
        """Let the predicted Dice of a 2D network tell how well neighbouring slices agree.

        Two slices are in memory at a time.
        """
        for volume in self._volumes if self._info.model.dimensions == 2 else ():
            alike: list[float] = []
            before = None
            for index in range(self.labels.shape[-3]):
                plane = np.asarray(self.labels[(*volume, index)])
                if before is not None:
                    alike.append(float(slice_dice(plane, before)))
                before = plane
            dice = self.dice[volume]
            for index, calibrated in enumerate(dice):
                dice[index] = agreeing(calibrated, alike[max(0, index - 1) : index + 1])

    def finished(self, device: str, seconds: float) -> PredictFinished:
        """Return the event with the arrays, after a time of prediction on a device."""
        return PredictFinished(
            self.labels,
            self.probabilities,
            self.uncertainty,
            self.disagreement,
            self.dice,
            self._info.categories,
            device,
            seconds,
            self.left_out,
            self.outside,
            self.carried,
        )
