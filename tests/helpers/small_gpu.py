"""A GPU for tests, whose memory runs out once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from napari_unet_seg.inference import loaded_model
from napari_unet_seg.inference.predictor import load_predictor

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def pretend_gpu(monkeypatch: pytest.MonkeyPatch, checkpoint: Path, method: str, call: int) -> None:
    """Let `auto` be a GPU whose predictor computes right but for one call."""
    predictor = load_predictor(checkpoint, "auto", "float32")
    computed = getattr(load_predictor(checkpoint, "cpu", "float32"), method)
    calls = []

    def limited(*args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        if len(calls) == call:
            raise torch.OutOfMemoryError("out of memory")
        return computed(*args, **kwargs)

    monkeypatch.setattr(predictor, "device", torch.device("meta"))
    monkeypatch.setattr(predictor, method, limited)
    monkeypatch.setattr(loaded_model, "_BATCH", {**loaded_model._BATCH, "meta": 1})
    monkeypatch.setattr(loaded_model, "device_name", str)
