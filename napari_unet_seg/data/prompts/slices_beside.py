"""The true masks of the slices beside those of a batch, where the slices are those of volumes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.data.batches import SplitItems
    from napari_unet_seg.data.prompts.marks import Rng
    from napari_unet_seg.data.samples import Sample

_BITS = 8
"""Of the label of the sample itself, below those of the label beside it."""


class SlicesBeside:
    """The slices before and after those of a split, as far as they are in the split too.

    Parameters
    ----------
    samples : sequence of Sample
        Of the split, in the order of its items.
    """

    def __init__(self, samples: Sequence[Sample]) -> None:
        places = {s.place: index for index, s in enumerate(samples) if s.place}
        self._beside = [
            [places[at] for at in places_beside(sample) if at in places] for sample in samples
        ]

    def joined(
        self, masks: torch.Tensor, items: SplitItems, indices: Array, rng: Rng
    ) -> torch.Tensor:
        """Add the mask of a slice beside, before or after it, to each mask of a batch.

        Both are one number for each pixel, so that augmentation changes them alike; `parted` takes
        them apart again.

        Parameters
        ----------
        masks : Tensor
            uint8 labels of shape (B, …).
        items : SplitItems
            The items of the split.
        indices : array
            Those of the batch.
        rng : Generator
            Chooses the side.

        Returns
        -------
        Tensor
            int32 of the same shape; what is beside is 0 where it is not known.
        """
        joined = masks.int()
        for number, index in enumerate(indices):
            if beside := self._beside[items.owner(index)]:
                chosen = np.array([rng.choice(beside)])
                _, labels = items.take(chosen, torch.Generator())
                joined[number] |= labels[0].int() << _BITS
        return joined


def parted(joined: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the masks of a batch and those beside, both uint8."""
    return (joined & (2**_BITS - 1)).byte(), (joined >> _BITS).byte()


def places_beside(sample: Sample) -> list[tuple[str, int]]:
    """Return the places before and after a slice in its volume; none for other samples."""
    if sample.place is None:
        return []
    volume, number = sample.place
    return [(volume, number - 1), (volume, number + 1)]
