"""A network of several sequences sees each with its own window, whole and slice by slice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.config import PredictConfig
from napari_unet_seg.engine import predict
from napari_unet_seg.io.common.channels import NAMES
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.common.window import shared_window
from napari_unet_seg.models.header import read_header
from napari_unet_seg.process.warm_engine import scan_part

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONFIG = PredictConfig(probabilities=True, precision="float32", device="cpu")


def probabilities(model: Path, scan: Scan, window: Any = None) -> Any:
    *_, last = predict(CONFIG, model, scan, window=window)
    return last.probabilities


def test_channels_are_named_scaled_and_cut_alike(make_checkpoint: Callable[..., Path]) -> None:
    model = make_checkpoint(tile=32, sequences=("T1c", "FLAIR"))
    data = np.random.default_rng(0).integers(1, 900, (3, 32, 32, 2)).astype(np.float32)
    scan = Scan(data, "ZYXC", meta={NAMES: ("T1c", "FLAIR")})
    whole = probabilities(model, scan)
    turned = Scan(data[..., ::-1] * (1, 50), "ZYXC", meta={NAMES: ("flair", "t1ce")})
    np.testing.assert_allclose(probabilities(model, turned), whole, atol=1e-3)
    windows = shared_window(scan, read_header(model).normalise)
    part = probabilities(model, scan_part(scan, (1,)), windows)
    np.testing.assert_allclose(part, whole[:, 1], atol=1e-3)
    unnamed = Scan(data[..., ::-1], "ZYXC")
    assert np.abs(probabilities(model, unnamed) - whole).max() > 0.01
