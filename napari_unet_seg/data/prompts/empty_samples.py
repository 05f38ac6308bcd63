"""Samples without an object in the training of a network that takes prompts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from napari_unet_seg.data.prompts.slices_beside import places_beside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg.data.samples import Sample


def without_empty(split: Sequence[Sample], has_object: Sequence[bool]) -> tuple[Sample, ...]:
    """Take samples without an object out of their splits, but training slices beside an object.

    Parameters
    ----------
    split : sequence of Sample
        Samples with their splits.
    has_object : sequence of bool
        Whether each of them has a labelled pixel.

    Returns
    -------
    tuple of Sample
        The same samples; those that are taken out have the split `test`.
    """
    # An empty sample has nothing to mark: mostly it is an image without a prompt, and that such an
    # image has no object is learnt at once. Beside a slice with an object it is the only true
    # example of where an object ends: `carried_maps` gives it the lasso around the mask of that
    # slice, as Carry does, and nothing is the target. A slice further away has no mask beside it.
    pairs = [*zip(split, has_object, strict=True)]
    places = {s.place for s, has in pairs if has and s.split == "train"}

    def is_used(sample: Sample) -> bool:
        return sample.split == "train" and not places.isdisjoint(places_beside(sample))

    return tuple(s if has or is_used(s) else replace(s, split="test") for s, has in pairs)
