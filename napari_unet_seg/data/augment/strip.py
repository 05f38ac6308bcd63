"""Rough skull-stripping as an augmentation, so that a network learns from stripped heads too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from napari_unet_seg.data.augment.randomness import expand
from napari_unet_seg.nn.blocks import crop

if TYPE_CHECKING:
    from napari_unet_seg.data.augment.randomness import Draw

_COARSE = 4
_HEAD = 0.06
"""Grey value above which a pixel belongs to the head."""
_CLOSING = 0.06
_RIM = (0.05, 0.13)
"""Widths, as shares of the image's size, of the gaps that are closed and of the removed rim."""


def strip(
    images: torch.Tensor, masks: torch.Tensor, draw: Draw
) -> tuple[torch.Tensor, torch.Tensor]:
    """Set the rim of the head to 0 in images and masks of chosen samples.

    The width of the rim is drawn once for the batch. The rest is brightened to the full range, as
    the normalisation of a stripped scan does.

    Parameters
    ----------
    images : Tensor
        Floats in 0…1 of shape (B, C, …).
    masks : Tensor
        Labels of shape (B, …).
    draw : Draw
        Random numbers of the batch.
    """
    chosen = draw.chosen()
    share = float(draw.uniform(*_RIM)[0])
    if not chosen.any():
        return images, masks
    inside = _inner(images.amax(1, keepdim=True), share)
    brightest = (images * inside).flatten(1).amax(1).clamp_min(0.2)
    stripped = images * inside / expand(brightest, images)
    picked = expand(chosen, images)
    images = torch.where(picked, stripped, images)
    outside = (picked & (inside == 0))[:, 0]
    return images, torch.where(outside, torch.zeros_like(masks), masks)


def _inner(images: torch.Tensor, share: float) -> torch.Tensor:
    """Return 1 inside the head without its rim, else 0; computed on a coarse grid."""
    pool = {4: F.max_pool2d, 5: F.max_pool3d}[images.ndim]
    size = images.shape[2:]
    head = (pool(images, _COARSE) > _HEAD).float()
    longest = max(head.shape[2:])
    closing, rim = max(1, round(_CLOSING * longest)), max(1, round(share * longest))
    # Pixels outside the image count as head while gaps are closed, so that gaps at the border close
    # too, and as background while the rim is removed.
    closed = -_dilate(-_dilate(head, closing), closing)
    around = F.pad(closed, [rim] * 2 * len(size))
    eroded = -_dilate(-around, rim)
    mode = {2: "bilinear", 3: "trilinear"}[len(size)]
    return (F.interpolate(crop(eroded, closed.shape[2:]), size, mode=mode) > 0.5).float()


def _dilate(x: torch.Tensor, radius: int) -> torch.Tensor:
    pool = {4: F.max_pool2d, 5: F.max_pool3d}[x.ndim]
    return pool(x, 2 * radius + 1, stride=1, padding=radius)
