"""The prompts of a session: which marks a person gave on which plane."""

from __future__ import annotations

import math

import numpy as np
from pydantic import Field

from napari_unet_seg.config import Config, Id
from napari_unet_seg.correct.prompt_marks import Prompt, PromptKind


class PromptRecord(Config):
    """A prompt for a category on a plane of the scan."""

    kind: PromptKind
    inside: bool
    """Whether it marks the category, or what is not of it."""
    category: Id
    part: tuple[int | None, ...]
    """Index of the plane along the first axes; None for an axis of the plane."""
    points: tuple[tuple[float, float], ...] = Field(min_length=1)
    """Voxels along the two axes of the plane: the click, the line, or two corners of the box."""

    @property
    def prompt(self) -> Prompt:
        """The mark itself."""
        return Prompt(self.kind, self.inside, self.points)

    def slices(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the slices that the plane crosses, counted along leading axes of a shape.

        None outside of the shape.
        """
        if any(
            index is not None and index >= n for index, n in zip(self.part, shape, strict=False)
        ):
            return ()
        at = tuple(slice(None) if index is None else index for index in self.part[: len(shape)])
        numbers = np.arange(math.prod(shape)).reshape(shape)[at]
        return tuple(numbers.ravel().tolist())
