"""Wider networks for long trainings begin as the same function."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
import torch

from napari_unet_seg.nn.checkpoint import load_net

ROOT = Path(__file__).parents[2]


@pytest.fixture
def widened(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    return importlib.import_module("benchmarks.common.wider").widened


@pytest.mark.parametrize("prompts", [False, True])
def test_a_wider_network_is_the_same_function(make_checkpoint, tmp_path, widened, prompts):
    narrow = make_checkpoint(width=4, prompts=prompts)
    wide = widened(narrow, 6, tmp_path / "wide.safetensors")
    (_, before), (info, after) = load_net(narrow), load_net(wide)
    seen = torch.rand(2, info.model.channels, 32, 32)
    with torch.inference_mode():
        expected, found = before.eval()(seen), after.eval()(seen)
    assert info.model.width == 6 and torch.allclose(expected, found, atol=1e-5)
    assert expected.std() > 1e-3


@pytest.mark.parametrize(
    "changes", [{"residual": True}, {"upsampling": "transposed"}, {"width": 6}]
)
def test_other_networks_are_refused(make_checkpoint, tmp_path, widened, changes):
    with pytest.raises(ValueError, match="no plain U-Net"):
        widened(make_checkpoint(**{"width": 4, **changes}), 6, tmp_path / "wide.safetensors")
