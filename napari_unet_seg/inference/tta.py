"""Test-time augmentation: the same slices seen in several ways, and the average.

The logits of the views are averaged, as Isensee et al. 2021 (nnU-Net) do with mirrored ones.
Disagreement between views as a measure of uncertainty is after Wang et al. 2019
(Neurocomputing 338:34).
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from napari_unet_seg.nn.labels import probabilities

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_unet_seg.config import Views
    from napari_unet_seg.nn.labels import Head

TURN = 7.0
"""Degrees of the turned views, to both sides."""


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at images: mirrored along axes, then turned in the last two."""

    flips: tuple[int, ...] = ()
    degrees: float = 0.0

    def there(self, images: torch.Tensor, aspect: float = 1.0) -> torch.Tensor:
        """Images (B, C, …) as this view shows them; their pixels are `aspect` as high as wide."""
        return turned(images.flip(self.flips) if self.flips else images, self.degrees, aspect)

    def back(self, logits: torch.Tensor, aspect: float = 1.0) -> torch.Tensor:
        """Logits (B, K, …) of such images, on the grid of the images themselves."""
        straight = turned(logits, -self.degrees, aspect)
        return straight.flip(self.flips) if self.flips else straight


VIEWS: dict[Views, tuple[View, ...]] = {
    "plain": (View(),),
    "mirrored": (View(), View((-1,))),
    "flips and turns": (
        *(View(flips) for flips in ((), (-1,), (-2,), (-1, -2))),
        *(View(flips, degrees) for flips in ((), (-1,)) for degrees in (TURN, -TURN)),
    ),
}


def turned(images: torch.Tensor, degrees: float, aspect: float = 1.0) -> torch.Tensor:
    """Turn (B, C, …) about the middle of the last two axes; the border goes on outside.

    The turn is one of the body: pixels that are `aspect` times as high as wide are turned as such.
    """
    if not degrees:
        return images
    height, width = images.shape[-2:]
    planes = images.reshape(len(images), -1, height, width)
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    ratio = aspect * height / width  # of the coordinates, which reach from -1 to 1 along both axes
    turn = planes.new_tensor([[cosine, -sine * ratio, 0], [sine / ratio, cosine, 0]])
    grid = F.affine_grid(turn.expand(len(planes), 2, 3), list(planes.shape), align_corners=False)
    found = F.grid_sample(planes, grid, padding_mode="border", align_corners=False)
    return found.reshape(images.shape)


def look(
    net: Callable[[torch.Tensor], torch.Tensor],
    images: torch.Tensor,
    views: Views,
    head: Head,
    aspect: float = 1.0,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Apply a net to images in several views.

    Parameters
    ----------
    net : callable
        Maps floats of shape (B, C, …) to logits (B, K, …).
    images : Tensor
        Of shape (B, C, …).
    views : str
        Of `VIEWS`.
    head : str
        How logits become probabilities.
    aspect : float
        Height of a pixel over its width.

    Returns
    -------
    logits : Tensor
        Mean over the views, of shape (B, K, …).
    spread : Tensor
        Standard deviation over the views of the foreground probabilities, the largest of the
        classes', of shape (B, …).
    """
    found = [view.back(net(view.there(images, aspect)), aspect) for view in VIEWS[views]]
    mean = functools.reduce(torch.add, found) / len(found)
    if len(found) == 1:
        return mean, mean.new_zeros((len(mean), *mean.shape[2:]))
    seen = torch.stack([probabilities(logits, head) for logits in found])
    return mean, seen.std(0, correction=0).amax(1)
