"""Preview of the augmentation: a few augmented samples, shown before a training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_unet_seg.data.augment.augment import augment
from napari_unet_seg.data.cache import build_cache
from napari_unet_seg.errors import DataError
from napari_unet_seg.events import AugmentationPreview
from napari_unet_seg.training.channels import with_channels

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari_unet_seg.config import TrainConfig
    from napari_unet_seg.data.samples import SampleSet
    from napari_unet_seg.events import ItemDone

COUNT = 8


def preview_augmentation(
    config: TrainConfig, samples: SampleSet
) -> Generator[ItemDone | AugmentationPreview, Any, None]:
    """Read eight samples, spread over the data set, and augment them as the training does.

    A data set of fewer than eight samples repeats some of them, each with another random change.

    Parameters
    ----------
    config : TrainConfig
        Augmentation, image size, normalisation, and the seed.
    samples : SampleSet
        Slices with masks.

    Yields
    ------
    ItemDone or AugmentationPreview
        The last event is the preview.

    Raises
    ------
    DataError
        If there are no samples, or one of them cannot be used.
    """
    if not samples.samples:
        raise DataError(f"The data set {samples.source} holds no samples; add images and masks.")
    config = with_channels(config, samples)
    indices = np.linspace(0, len(samples.samples) - 1, COUNT).round().astype(int)
    members = [samples.samples[index] for index in indices]
    cache = yield from build_cache(
        members,
        config.image_size,
        config.model.in_channels,
        len(samples.categories),
        config.normalise,
    )
    generator = torch.Generator().manual_seed(config.seed)
    images, masks = augment(*cache.take(np.arange(COUNT)), config.augment, generator)
    grey = (images.mean(1) * 255).round().to(torch.uint8)
    yield AugmentationPreview(tuple(s.name for s in members), grey.numpy(), masks.numpy())
