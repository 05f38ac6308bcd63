"""Augmentation of a whole batch on its device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet_seg.data.augment.intensity import bias_field, blur, gamma, invert, noise
from napari_unet_seg.data.augment.randomness import Draw
from napari_unet_seg.data.augment.strip import strip
from napari_unet_seg.data.augment.warp import warp

if TYPE_CHECKING:
    import torch

    from napari_unet_seg.config import AugmentConfig


def augment(
    images: torch.Tensor, masks: torch.Tensor, config: AugmentConfig, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Change every sample of a batch at random.

    Parameters
    ----------
    images : Tensor
        Floats in 0…1 of shape (B, C, Y, X) or (B, C, Z, Y, X).
    masks : Tensor
        uint8 labels of shape (B, Y, X) or (B, Z, Y, X).
    config : AugmentConfig
        Kinds, sizes and probability of the changes.
    generator : torch.Generator
        Source of randomness, on the CPU.

    Returns
    -------
    tuple of Tensor
        Images and masks of the same shapes and dtypes; images in 0…1.
    """
    draw = Draw(len(images), config.probability, generator)
    images, masks = warp(images, masks, config, draw)
    if config.strip:
        images, masks = strip(images, masks, draw)
    for on, change in (
        (config.bias_field, bias_field),
        (config.gamma, gamma),
        (config.blur, blur),
        (config.noise, noise),
        (config.invert, invert),
    ):
        if on:
            images = change(images, draw)
    return images.clamp(0, 1), masks
