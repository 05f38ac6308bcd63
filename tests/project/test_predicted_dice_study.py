"""The predicted Dice of a slice alone, and with its neighbours, in the study of both."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest

from napari_unet_seg.config import NormaliseConfig
from napari_unet_seg.engine import predict
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.common.window import scan_window
from napari_unet_seg.models import BUNDLED

ROOT = Path(__file__).parents[2]
Y, X = np.indices((96, 96))


def test_both_are_those_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT)
    study = importlib.import_module("benchmarks.accuracy.predicted_dice")
    lesion = np.stack([np.hypot(Y - 40, X - 40) < radius for radius in (6, 14, 12)])
    head = np.hypot(Y - 48, X - 48) < 40
    noise = np.random.default_rng(0)
    greys = noise.normal(60.0 * head + 120 * lesion, 6).clip(0, 255).astype(np.uint8)
    judged = study.judged(study.Features(), Scan(greys, "ZYX"), lesion.astype(np.uint8))

    *_, whole = predict(study.HOW, BUNDLED, Scan(greys, "ZYX"))
    np.testing.assert_array_equal(judged.told, whole.dice)
    window = scan_window(greys, NormaliseConfig())
    for index in range(len(greys)):
        slice_alone = Scan(greys[[index]], "ZYX")
        *_, alone = predict(study.HOW, BUNDLED, slice_alone, window=window)
        assert judged.calibrated[index] == pytest.approx(alone.dice[0], abs=1e-5)
    assert np.abs(judged.told - judged.calibrated).min() > 0.01
