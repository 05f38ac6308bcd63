"""Test-time augmentation: predictions of mirrored and rotated views of an image, averaged.

The logits of the views are averaged, as Isensee et al. 2021 (nnU-Net) do with mirrored images.
Disagreement between views as a measure of uncertainty follows Wang et al. 2019
(Neurocomputing 338:34).
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from napari_unet_seg.nn.labels import to_probabilities

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_unet_seg.config import Views
    from napari_unet_seg.nn.labels import Head

ROTATION = 7.0
"""Angle in degrees of the rotated views, clockwise and counter-clockwise."""


@dataclass(frozen=True, slots=True)
class View:
    """One augmentation of images: mirrored along `flips`, then rotated in the last two axes."""

    flips: tuple[int, ...] = ()
    degrees: float = 0.0

    def transform(self, images: torch.Tensor, aspect: float = 1.0) -> torch.Tensor:
        """Mirror and rotate images (B, C, …), whose pixels are `aspect` times as high as wide."""
        return rotated(images.flip(self.flips) if self.flips else images, self.degrees, aspect)

    def invert(self, logits: torch.Tensor, aspect: float = 1.0) -> torch.Tensor:
        """Bring the logits (B, K, …) of transformed images to the grid of the original images."""
        straight = rotated(logits, -self.degrees, aspect)
        return straight.flip(self.flips) if self.flips else straight


VIEWS: dict[Views, tuple[View, ...]] = {
    "plain": (View(),),
    "mirrored": (View(), View((-1,))),
    "flips and turns": (
        *(View(flips) for flips in ((), (-1,), (-2,), (-1, -2))),
        *(View(flips, degrees) for flips in ((), (-1,)) for degrees in (ROTATION, -ROTATION)),
    ),
}


def rotated(images: torch.Tensor, degrees: float, aspect: float = 1.0) -> torch.Tensor:
    """Rotate images (B, C, …) about the centre of the last two axes, bilinearly.

    Pixels from outside the image take the value of the nearest border pixel.

    Parameters
    ----------
    images : Tensor
        Floats of shape (B, C, …, Y, X).
    degrees : float
        Angle of the rotation in space, not on the pixel grid.
    aspect : float
        Height of a pixel over its width.
    """
    if not degrees:
        return images
    height, width = images.shape[-2:]
    planes = images.reshape(len(images), -1, height, width)
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    ratio = aspect * height / width  # of the coordinates, which reach from -1 to 1 along both axes
    theta = planes.new_tensor([[cosine, -sine * ratio, 0], [sine / ratio, cosine, 0]])
    grid = F.affine_grid(theta.expand(len(planes), 2, 3), list(planes.shape), align_corners=False)
    resampled = F.grid_sample(planes, grid, padding_mode="border", align_corners=False)
    return resampled.reshape(images.shape)


def augmented_forward(
    net: Callable[[torch.Tensor], torch.Tensor],
    images: torch.Tensor,
    views: Views,
    head: Head,
    aspect: float = 1.0,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Apply a net to several views of images, and average the logits.

    Parameters
    ----------
    net : callable
        Maps floats of shape (B, C, …) to logits (B, K, …).
    images : Tensor
        Of shape (B, C, …).
    views : str
        A key of `VIEWS`.
    head : str
        How logits become probabilities: `sigmoid` or `softmax`.
    aspect : float
        Height of a pixel over its width.

    Returns
    -------
    logits : Tensor
        Mean over the views, of shape (B, K, …).
    disagreement : Tensor
        Standard deviation over the views of the foreground probabilities, the largest among the
        classes, of shape (B, …).
    """
    logits = [view.invert(net(view.transform(images, aspect)), aspect) for view in VIEWS[views]]
    mean = functools.reduce(torch.add, logits) / len(logits)
    if len(logits) == 1:
        return mean, mean.new_zeros((len(mean), *mean.shape[2:]))
    probabilities = torch.stack([to_probabilities(each, head) for each in logits])
    return mean, probabilities.std(0, correction=0).amax(1)
