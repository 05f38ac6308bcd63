"""Spatial augmentation: one transformation per sample, for the image and its mask."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from napari_unet_seg.data.augment.randomness import expand

if TYPE_CHECKING:
    from napari_unet_seg.config import AugmentConfig
    from napari_unet_seg.data.augment.randomness import Draw

_KNOTS = 5
"""Number of knots of the elastic deformation along each axis."""


def warp(
    images: torch.Tensor, masks: torch.Tensor, config: AugmentConfig, draw: Draw
) -> tuple[torch.Tensor, torch.Tensor]:
    """Shift, rotate, zoom, mirror and deform chosen samples, by `grid_sample`.

    Images are interpolated bilinearly, masks by nearest neighbour; pixels from outside are black
    background. Volumes are rotated within their slices.
    """
    switches = ("translate", "rotate", "scale", "flip", "turn", "elastic")
    if not any(getattr(config, name) for name in switches):
        return images, masks
    theta = _affine(config, draw, images.ndim - 2)
    grid = F.affine_grid(theta.to(images.device), list(images.shape), align_corners=False)
    if config.elastic:
        grid = grid + _deformation(config, draw, images)
    images = F.grid_sample(images, grid, align_corners=False)
    moved = F.grid_sample(masks[:, None].float(), grid, mode="nearest", align_corners=False)
    return images, moved[:, 0].to(masks.dtype)


def _affine(config: AugmentConfig, draw: Draw, dimensions: int) -> torch.Tensor:
    """Maps from output to input coordinates in −1…1, of shape (count, D, D + 1), x first."""
    angle = draw.symmetric(math.radians(config.rotation), on=config.rotate)
    if config.turn:
        quarters = torch.randint(0, 4, (draw.count,), generator=draw.generator)
        angle = angle + torch.where(draw.chosen(), quarters * (math.pi / 2), 0.0)
    zoom = torch.exp(draw.symmetric(config.scaling, on=config.scale))
    theta = torch.zeros(draw.count, dimensions, dimensions + 1)
    for axis in range(dimensions):
        theta[:, axis, axis] = zoom
    theta[:, 0, 0], theta[:, 0, 1] = zoom * angle.cos(), -zoom * angle.sin()
    theta[:, 1, 0], theta[:, 1, 1] = zoom * angle.sin(), zoom * angle.cos()
    if config.flip:
        signs = torch.stack([torch.where(draw.chosen(), -1.0, 1.0) for _ in range(dimensions)], 1)
        theta[:, :, :dimensions] *= signs[:, None]
    for axis in range(dimensions):
        # the image is 2 wide in these coordinates
        theta[:, axis, -1] = draw.symmetric(2 * config.translation, on=config.translate)
    return theta


def _deformation(config: AugmentConfig, draw: Draw, images: torch.Tensor) -> torch.Tensor:
    """Return smooth random displacements of shape (B, …, D)."""
    size = images.shape[2:]
    knots = draw.field(len(size), *[_KNOTS] * len(size)) * 2 * config.elasticity
    knots = torch.where(expand(draw.chosen(), knots), knots, 0.0).to(images.device)
    return smooth(knots, size).movedim(1, -1)


def smooth(knots: torch.Tensor, size: torch.Size) -> torch.Tensor:
    """Interpolate (B, C, knots, …) to a full size: cubic in 2D, which has no kinks, else linear."""
    mode = {2: "bicubic", 3: "trilinear"}[len(size)]
    return F.interpolate(knots, size, mode=mode, align_corners=True)
