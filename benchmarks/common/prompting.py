"""The prompt network on slices of uint8: outlines of boxes, and strokes that are followed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.config import PredictConfig
from napari_unet_seg.correct.prompts import Marks, follow_prompt, outline_in_box
from napari_unet_seg.engine import refine
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.models import PROMPT_NETWORK

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.correct.prompts import Box


def found(image: Array, prompts: Array, previous: Array) -> Array:
    """What the network finds on a slice."""
    *_, refined = refine(PredictConfig(), PROMPT_NETWORK, Scan(image, "YX"), prompts, previous)
    mask = np.zeros(image.shape, bool)
    mask[refined.window] = refined.mask
    return mask


def outlined(image: Array, predicted: Array, box: Box) -> Array:
    """The object in a box."""
    return outline_in_box(partial(found, image), predicted, box)


def marked(image: Array, mask: Array, inside: Array, outside: Array) -> Array:
    """A mask after strokes."""
    new = Marks(inside, outside & ~inside, np.zeros_like(inside))
    return follow_prompt(partial(found, image), mask, np.zeros_like(mask), new, scribbled=True)
