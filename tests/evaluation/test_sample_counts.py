"""Counts of samples by networks with prompts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import numpy as np

from napari_unet_seg.config import Category, ModelConfig, NormaliseConfig, PredictConfig
from napari_unet_seg.evaluation.sample_counts import prompted_counts
from napari_unet_seg.models.header import CheckpointInfo

if TYPE_CHECKING:
    import torch

    from napari_unet_seg.inference.predictor import Predictor


def test_a_click_on_a_small_sample_is_as_large_as_in_training() -> None:
    seen: list[torch.Tensor] = []

    def logits(images: torch.Tensor) -> torch.Tensor:
        seen.append(images)
        return images[:, 1:2]

    info = CheckpointInfo(
        version="0",
        model=ModelConfig(prompts=True),
        categories=(Category(id=1, name="lesion"),),
        normalise=NormaliseConfig(),
        image_size=256,
    )
    predictor = cast("Predictor", SimpleNamespace(info=info, logits=logits))
    truth = np.zeros((64, 64), np.uint8)
    truth[20:40, 20:40] = 1
    prompted_counts(predictor, np.zeros((64, 64, 1), np.uint8), truth, 1, PredictConfig())
    assert 13 <= seen[0][0, 1].sum() <= 50
