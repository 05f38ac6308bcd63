"""Augmentation of grey values; images are floats in 0…1 of shape (B, C, …)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from napari_unet_seg.data.augment.randomness import expand
from napari_unet_seg.data.augment.warp import smooth

if TYPE_CHECKING:
    from napari_unet_seg.data.augment.randomness import Draw

_GAMMA = (0.7, 1.4)
_NOISE = 0.05
_SIGMA = 1.5
_RADIUS = 3
_BIAS = 0.4
_KNOTS = 4


def gamma(images: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Raise the grey values of chosen samples to a random power."""
    low, high = (math.log(g) for g in _GAMMA)
    powers = torch.exp(torch.where(draw.chosen(), draw.uniform(low, high), 0.0))
    return images.clamp_min(0) ** expand(powers, images)


def bias_field(images: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Multiply chosen samples by a smooth field, which simulates the bias field of coils."""
    size = images.shape[2:]
    knots = draw.field(1, *[_KNOTS] * len(size)) * _BIAS
    knots = torch.where(expand(draw.chosen(), knots), knots, 0.0)
    return images * smooth(knots.to(images.device), size).exp()


def blur(images: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Blur each chosen sample by a Gaussian of random width, one axis after the other."""
    sigma = torch.where(draw.chosen(), draw.uniform(0.3, _SIGMA), 1e-3)
    offsets = torch.arange(-_RADIUS, _RADIUS + 1)
    kernels = torch.exp(-0.5 * (offsets / sigma[:, None]) ** 2)
    kernels = (kernels / kernels.sum(1, keepdim=True)).to(images.device)
    kernels = kernels.repeat_interleave(images.shape[1], 0)
    axes = images.ndim - 2
    convolve = {2: F.conv2d, 3: F.conv3d}[axes]
    flat = images.flatten(0, 1)[None]
    for axis in range(axes):
        shape, pad = [1] * axes, [0] * axes
        shape[axis], pad[axis] = len(offsets), _RADIUS
        flat = convolve(
            flat, kernels.reshape(-1, 1, *shape), padding=tuple(pad), groups=flat.shape[1]
        )
    return flat.reshape(images.shape)


def noise(images: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Add normally distributed noise to chosen samples."""
    deviation = torch.where(draw.chosen(), draw.uniform(0, _NOISE), 0.0)
    return images + expand(deviation, images) * draw.normal(images.shape).to(images.device)


def invert(images: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Exchange black and white in chosen samples."""
    return torch.where(expand(draw.chosen(), images), 1 - images, images)
