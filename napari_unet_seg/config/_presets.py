"""Presets of the training configuration."""

from __future__ import annotations

from typing import Any

from napari_unet_seg.config._augment import AugmentConfig
from napari_unet_seg.config._model import ModelConfig
from napari_unet_seg.config._train import NormaliseConfig, TrainConfig

_PUBLISHED = TrainConfig(
    batch_size=16,
    learning_rate=1e-4,
    image_size=224,
    schedule="constant",
    patience=3,
    min_delta=0.001,
    clip=0,
    # (x − 0.333) / 0.239, cut off at 0 and 1
    normalise=NormaliseConfig(window="range", low=33.3, high=57.2),
    # its shifts were below a tenth of a pixel
    augment=AugmentConfig(probability=0.5, translate=False, rotate=True, rotation=5),
)

PRESETS: dict[str, TrainConfig] = {
    "fast-cpu": TrainConfig(),
    "base": _PUBLISHED.replace(
        model=ModelConfig(width=64, activation="relu", downsampling="max"),
    ),
    "optimised": _PUBLISHED.replace(
        model=ModelConfig(
            width=64, activation="relu", downsampling="average", dilation=2, normalised_up=True
        ),
    ),
    "best": TrainConfig(
        epochs=60,
        batch_size=16,
        learning_rate=2e-3,
        ema=0.998,
        augment=AugmentConfig(
            rotation=15,
            scale=True,
            elastic=True,
            flip=True,
            gamma=True,
            bias_field=True,
            noise=True,
            blur=True,
        ),
        model=ModelConfig(width=32, residual=True, deep_supervision=True),
    ),
}
"""`fast-cpu` for a laptop, `base` and `optimised` as published, `best` for long trainings."""

FINE_TUNE = TrainConfig(
    epochs=10, batch_size=4, learning_rate=1e-4, keep_statistics=True, recipe="auto"
)
"""Defaults of fine-tuning: few epochs and small steps, since the net is trained already."""

THOROUGH: dict[str, Any] = {
    "epochs": 8,
    "learning_rate": 1e-3,
    "ema": 0.99,
    "keep_statistics": False,
    "augment": AugmentConfig(rotation=15, scale=True, flip=True, gamma=True),
}
"""What the thorough recipe takes instead of settings that are those of `FINE_TUNE`; of few samples
more epochs."""
