"""What a head sees of each pixel: the network's logits and features, and the grey values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from napari_unet_seg.nn.labels import to_probabilities

if TYPE_CHECKING:
    from napari_unet_seg.inference.predictor import Predictor

_NEAR = 9
"""Width in pixels of the surroundings whose mean grey a head sees."""
_SUREST = 15.0
"""Largest logit of a probability."""


def features_of(predictor: Predictor, images: torch.Tensor, aspect: float = 1.0) -> torch.Tensor:
    """Return the features of slices at the size of training.

    Parameters
    ----------
    predictor : Predictor
        Of a model that `has_features`.
    images : Tensor
        Floats in 0…1 of shape (B, C, Y, X).
    aspect : float
        Height of a pixel over its width.

    Returns
    -------
    Tensor
        float32 of shape (B, D, y, x): the logits of the foreground classes first.
    """
    small = predictor.resampled(images, aspect)
    logits, inner = predictor.features(small)
    known = to_probabilities(logits, predictor.info.model.head).logit().clamp(-_SUREST, _SUREST)
    near = F.avg_pool2d(small, _NEAR, 1, _NEAR // 2, count_include_pad=False)
    return torch.cat([known, small, near, inner], 1)
