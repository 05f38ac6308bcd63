"""An answer to prompts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_unet_seg.errors import CheckpointError, DataError
from napari_unet_seg.inference.prompt_window import marks, resized, window_around
from napari_unet_seg.io.common.files import reading
from napari_unet_seg.io.common.window import scan_window, to_grey, to_uint8
from napari_unet_seg.nn.labels import to_probabilities

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.inference.predictor import Predictor
    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.io.common.window import Window
    from napari_unet_seg.models.header import CheckpointInfo

Array = np.ndarray[Any, np.dtype[Any]]


def answer(
    predictor: Predictor,
    image: Scan,
    prompts: Array,
    previous: Array | None = None,
    window: Window | None = None,
) -> tuple[tuple[slice, ...], Array]:
    """What the prompts mean, as probabilities in a window around them.

    Parameters
    ----------
    predictor : Predictor
        Of a network that follows prompts.
    image : Scan
        A slice, or a volume for a network of volumes, with or without colour.
    prompts : array
        Positive, negative and box, bool of shape (3, …) on the image's grid.
    previous : array, optional
        The mask so far, bool, on the image's grid.
    window : tuple of float, optional
        Intensities of black and white, where the image is part of a scan.

    Returns
    -------
    sides : tuple of slice
        The window in the image; it holds all that is marked, and the mask so far.
    probable : array
        float32 of the window's shape.
    """
    before = np.zeros(image.grid_shape, bool) if previous is None else previous.astype(bool)
    sides, size = window_around(prompts.any(0) | before, predictor.info)
    seen = torch.cat(
        [
            resized(_cut(image, sides, predictor.info, window), size),
            marks(prompts[(slice(None), *sides)], size)[None],
            (resized(torch.from_numpy(before[sides]).float()[None, None], size) >= 0.5).float(),
        ],
        1,
    )
    probable = to_probabilities(predictor.logits(seen), predictor.info.model.head)
    shape = tuple(side.stop - side.start for side in sides)
    return sides, resized(probable, shape)[0, 0].cpu().numpy()


def _cut(
    image: Scan, sides: tuple[slice, ...], info: CheckpointInfo, window: Window | None
) -> torch.Tensor:
    """Floats in 0…1 of shape (1, C, …) of a part of an image, in the intensities of the whole."""
    colour = image.axes.endswith("C")
    dtype = image.data.dtype
    with reading(image.path or "The image", "a scan"):
        window = window or scan_window(image.data, info.normalise, channels=colour, dtype=dtype)
        cut = np.asarray(image.data[sides])
    if not colour:
        cut = cut[..., None]
    elif info.model.in_channels == 1:
        cut = to_grey(cut)[..., None]
    planes = np.moveaxis(to_uint8(cut, window), -1, 0)[None].copy()
    return torch.from_numpy(planes).float() / 255


def check(
    checkpoint: Path, info: CheckpointInfo, image: Scan, prompts: Array, previous: Array | None
) -> None:
    """Refuse what cannot be answered.

    Raises
    ------
    CheckpointError
        If the model follows no prompts.
    DataError
        If image, prompts and mask do not fit each other or the model.
    """
    if not info.model.prompts:
        raise CheckpointError(
            f"The model {checkpoint} follows no prompts; choose one that was trained with "
            "model.prompts."
        )
    grid, name = image.grid_shape, image.path or "the image"
    if len(grid) != info.model.dimensions:
        wanted = {2: "a slice", 3: "a volume"}[info.model.dimensions]
        raise DataError(
            f"{name} has the axes {image.grid_axes}; this model follows prompts on {wanted}."
        )
    channels = image.data.shape[-1] if "C" in image.axes else 1
    if info.model.in_channels not in (1, channels):
        raise DataError(
            f"{name} has {channels} channels and the model takes {info.model.in_channels}; choose "
            "a model that was trained on such images."
        )
    if prompts.shape != (3, *grid) or (previous is not None and previous.shape != grid):
        shapes = f"{prompts.shape}" + ("" if previous is None else f" and {previous.shape}")
        raise DataError(
            f"Prompts and mask have the shapes {shapes} and {name} {grid}; give (3, *{grid}) and "
            f"{grid}."
        )
