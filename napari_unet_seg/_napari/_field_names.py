"""What settings and their choices are called on screen."""

from __future__ import annotations

_NAMES = {
    "augment": "Augmentation",
    "model": "Network",
    "normalise": "Intensities",
    "dice_bce": "Dice + BCE with logits",
    "dice_ce": "Dice + cross-entropy",
    "cuda": "GPU (CUDA)",
    "mps": "GPU (Apple)",
    "cpu": "CPU",
    "relu": "ReLU",
    "leaky_relu": "Leaky ReLU",
    "bfloat16": "bfloat16",
    "float32": "float32",
    "rle": "RLE",
    "unet": "U-Net",
    "vnet": "V-Net",
    "prelu": "PReLU",
    "terms": "Further terms of the loss",
    "ema": "Weight average",
    "clip": "Gradient limit",
    "twins": "Keep near-copies together",
    "freeze": "Frozen levels",
    "keep_statistics": "Keep batch statistics",
    "invert": "Invert grey",
    "strip": "Strip skull",
}


def display_name(name: str) -> str:
    """Return how a setting or a choice is written on screen: `batch_size` as "Batch size"."""
    return _NAMES.get(name) or name.replace("_", " ").capitalize()
