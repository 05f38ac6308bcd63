"""A small U-Net that outlines the object in a box, applied with numpy only.

`benchmarks/train_outline.py` trains it; its 95,000 weights are in `box_net.safetensors`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

Array = np.ndarray[Any, np.dtype[Any]]

WEIGHTS = Path(__file__).parent / "box_net.safetensors"


@cache
def box_net_weights() -> dict[str, Array]:
    """Return the trained weights by name, float32."""
    from safetensors.numpy import load_file

    return {name: value.astype(np.float32) for name, value in load_file(WEIGHTS).items()}


def box_logits(channels: Array, weights: Mapping[str, Array]) -> Array:
    """Compute the log odds of being foreground.

    Parameters
    ----------
    channels : array
        (channels, Y, X), float32; height and width are divisible by 2 to the number of poolings.
    weights : mapping of str to array
        `down.LEVEL.STEP`, `up.LEVEL.STEP` and `last`, each with `.weight` and `.bias`; the input of
        `last` is the features and the input channels.

    Returns
    -------
    array
        (Y, X), float32.
    """
    depth = sum(name.startswith("down.") for name in weights) // 4
    skipped, features = [], channels
    for level in range(depth):
        features = _block(_pool(features) if level else features, weights, f"down.{level}")
        skipped.append(features)
    for level in reversed(range(depth - 1)):
        joined = np.concatenate([_double(features), skipped[level]])
        features = _block(joined, weights, f"up.{level}")
    last = np.concatenate([features, channels])
    logits: Array = np.tensordot(weights["last.weight"][0, :, 0, 0], last, 1)
    logits += weights["last.bias"][0]
    return logits


def _block(features: Array, weights: Mapping[str, Array], name: str) -> Array:
    for step in (0, 1):
        weight, bias = weights[f"{name}.{step}.weight"], weights[f"{name}.{step}.bias"]
        features = np.maximum(_convolve(features, weight) + bias[:, None, None], 0)
    return features


def _convolve(features: Array, weight: Array) -> Array:
    """Cross-correlate (C, Y, X) with (O, C, 3, 3), zeros beyond the border."""
    padded = np.pad(features, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    return np.tensordot(weight, windows, ([1, 2, 3], [0, 3, 4]))


def _pool(features: Array) -> Array:
    channels, height, width = features.shape
    pooled: Array = features.reshape(channels, height // 2, 2, width // 2, 2).max((2, 4))
    return pooled


def _double(features: Array) -> Array:
    return features.repeat(2, 1).repeat(2, 2)
