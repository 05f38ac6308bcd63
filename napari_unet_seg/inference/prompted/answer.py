"""Prediction of the object that prompts mark, in a window of an image."""

from __future__ import annotations

from itertools import starmap
from typing import TYPE_CHECKING

import numpy as np
import torch

from napari_unet_seg.errors import CheckpointError, DataError
from napari_unet_seg.inference.prompted.window import marks, resized, window_around
from napari_unet_seg.io.common.channels import for_model
from napari_unet_seg.io.common.window import Windowed, scan_window, to_grey, to_uint8
from napari_unet_seg.io.disk.files import reading
from napari_unet_seg.nn.labels import to_probabilities

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.inference.predictor import Predictor
    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.io.common.window import Windows
    from napari_unet_seg.models.header import CheckpointInfo


def answer(
    predictor: Predictor,
    image: Scan,
    prompts: Array,
    previous: Array | None = None,
    window: Windows | None = None,
    others: Sequence[Windowed] = (),
) -> tuple[tuple[slice, ...], Array]:
    """Predict the probabilities of the marked object in a window around the prompts.

    Parameters
    ----------
    predictor : Predictor
        Of a network that was trained with prompts.
    image : Scan
        A slice, or a volume for a 3D network, with or without colour.
    prompts : array
        Maps of positive prompts, negative prompts and boxes, bool of shape (3, …) on the image's
        grid.
    previous : array, optional
        The present mask, bool on the image's grid.
    window : tuple of float, optional
        Intensities that become black and white, if the image is a part of a scan.
    others : sequence of Windowed
        Further sequences on the image's grid; the probabilities are the mean over all.

    Returns
    -------
    sides : tuple of slice
        The window in the image, which contains all prompts and the present mask.
    probable : array
        Probabilities, float32 of the window's shape.

    Raises
    ------
    DataError
        If the image cannot be read.
    """
    before = np.zeros(image.grid_shape, bool) if previous is None else previous.astype(bool)
    sides, size = window_around(prompts.any(0) | before, predictor.info)
    maps = [
        marks(prompts[(slice(None), *sides)], size)[None],
        (resized(torch.from_numpy(before[sides]).float()[None, None], size) >= 0.5).float(),
    ]

    def probable(image: Scan, window: Windows | None) -> torch.Tensor:
        seen = torch.cat([resized(_cut(image, sides, predictor.info, window), size), *maps], 1)
        return to_probabilities(predictor.logits(seen), predictor.info.model.head)

    answers = torch.cat(list(starmap(probable, [(image, window), *others])))
    shape = tuple(side.stop - side.start for side in sides)
    return sides, resized(answers.mean(0, keepdim=True), shape)[0, 0].cpu().numpy()


def _cut(
    image: Scan, sides: tuple[slice, ...], info: CheckpointInfo, window: Windows | None
) -> torch.Tensor:
    """Return a part of an image as floats (1, C, …) in 0…1, normalised as the whole image."""
    image, _ = for_model(image, info.model.in_channels)
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
    checkpoint: Path,
    info: CheckpointInfo,
    image: Scan,
    prompts: Array,
    previous: Array | None,
) -> None:
    """Check that model, image, prompts and mask fit each other.

    Raises
    ------
    CheckpointError
        If the model was not trained with prompts.
    DataError
        If image, prompts and mask do not fit each other or the model.
    """
    if not info.model.prompts:
        raise CheckpointError(
            f"The model {checkpoint} does not follow prompts; choose a model that was trained with "
            "model.prompts."
        )
    grid, name = image.grid_shape, image.path or "The image"
    if len(grid) != info.model.dimensions:
        wanted = {2: "a slice", 3: "a volume"}[info.model.dimensions]
        raise DataError(
            f"{name} has the axes {image.grid_axes} and this model follows prompts on {wanted}; "
            f"give {wanted}."
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
            f"{name} has the shape {grid}, and prompts and mask have the shapes {shapes}; give "
            f"prompts of {(3, *grid)} and a mask of {grid}."
        )


def check_grids(image: Scan, others: Sequence[Windowed]) -> None:
    """Check that further sequences have the shape of an image.

    Raises
    ------
    DataError
        If one of them has another shape.
    """
    for other, _ in others:
        if other.grid_shape != image.grid_shape:
            raise not_on_grid(other, image)


def not_on_grid(other: Scan, image: Scan) -> DataError:
    """Return the error for a sequence that is not on the grid of an image."""
    return DataError(
        f"{other.path or 'A sequence'} is not on the grid of {image.path or 'the image'}; give "
        "sequences of one grid."
    )
