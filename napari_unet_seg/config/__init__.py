"""Frozen configurations, the one place where an option is written.

Forms, files and the program's options are all generated from these models.
"""

from napari_unet_seg.config._augment import AugmentConfig
from napari_unet_seg.config._base import IGNORE_INDEX, Config, Device, Precision
from napari_unet_seg.config._coco import (
    MOST_NUMBERED,
    RESULT_THRESHOLD,
    UNNAMED,
    Category,
    CocoLimits,
    CocoOptions,
    Id,
    numbered_categories,
)
from napari_unet_seg.config._model import ModelConfig
from napari_unet_seg.config._predict import PredictConfig, Views
from napari_unet_seg.config._presets import FINE_TUNE, PRESETS, THOROUGH
from napari_unet_seg.config._stored import Stored
from napari_unet_seg.config._train import LossConfig, NormaliseConfig, TrainConfig
from napari_unet_seg.config._version import Version

__all__ = [
    "FINE_TUNE",
    "IGNORE_INDEX",
    "MOST_NUMBERED",
    "PRESETS",
    "RESULT_THRESHOLD",
    "THOROUGH",
    "UNNAMED",
    "AugmentConfig",
    "Category",
    "CocoLimits",
    "CocoOptions",
    "Config",
    "Device",
    "Id",
    "LossConfig",
    "ModelConfig",
    "NormaliseConfig",
    "Precision",
    "PredictConfig",
    "Stored",
    "TrainConfig",
    "Version",
    "Views",
    "numbered_categories",
]
