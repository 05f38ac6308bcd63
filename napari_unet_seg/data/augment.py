"""Augmentation of a whole batch on its device."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from napari_unet_seg.config import AugmentConfig

_SCALE = 0.15
_GAMMA = (0.7, 1.4)


def augment(
    images: torch.Tensor, masks: torch.Tensor, config: AugmentConfig, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Change every sample of a batch at random, the image and its mask alike.

    One affine map a sample, applied by `grid_sample`, bilinear for images and nearest for masks;
    what comes in from outside the image is black background.

    Parameters
    ----------
    images : Tensor
        Floats in 0…1 of shape (B, C, Y, X).
    masks : Tensor
        uint8 labels of shape (B, Y, X).
    config : AugmentConfig
        Which changes, and how large.
    generator : torch.Generator
        Source of randomness, on the processor.

    Returns
    -------
    tuple of Tensor
        Of the same shapes and types.
    """
    if config.translate or config.rotate or config.scale or config.flip:
        theta = _affine(len(images), config, generator).to(images.device)
        grid = F.affine_grid(theta, list(images.shape), align_corners=False)
        images = F.grid_sample(images, grid, align_corners=False)
        moved = F.grid_sample(masks[:, None].float(), grid, mode="nearest", align_corners=False)
        masks = moved[:, 0].to(masks.dtype)
    if config.gamma:
        low, high = (math.log(g) for g in _GAMMA)
        gamma = torch.exp(_uniform(len(images), generator, low, high)).to(images.device)
        images = images.clamp_min(0) ** gamma[:, None, None, None]
    return images, masks


def _affine(count: int, config: AugmentConfig, generator: torch.Generator) -> torch.Tensor:
    """Maps from output to input coordinates in −1…1, of shape (count, 2, 3)."""
    angle = _symmetric(count, generator, math.radians(config.rotation) * config.rotate)
    zoom = torch.exp(_symmetric(count, generator, _SCALE * config.scale))
    signs = torch.ones(2, count)
    if config.flip:
        signs = torch.randint(0, 2, (2, count), generator=generator) * 2.0 - 1
    shift = 2 * config.translation * config.translate  # the image is 2 wide in these coordinates
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0], theta[:, 0, 1] = zoom * angle.cos() * signs[0], -zoom * angle.sin() * signs[1]
    theta[:, 1, 0], theta[:, 1, 1] = zoom * angle.sin() * signs[0], zoom * angle.cos() * signs[1]
    theta[:, 0, 2] = _symmetric(count, generator, shift)
    theta[:, 1, 2] = _symmetric(count, generator, shift)
    return theta


def _uniform(count: int, generator: torch.Generator, low: float, high: float) -> torch.Tensor:
    return torch.rand(count, generator=generator) * (high - low) + low


def _symmetric(count: int, generator: torch.Generator, extent: float) -> torch.Tensor:
    return _uniform(count, generator, -extent, extent)
