"""The predictor computes what the trained net computes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_unet_seg.config import PredictConfig
from napari_unet_seg.inference import predictor as predictor_module
from napari_unet_seg.inference.predictor import fold, load_predictor
from napari_unet_seg.inference.uncertainty import entropy
from napari_unet_seg.nn import devices
from napari_unet_seg.nn.checkpoint import load_net, save_checkpoint
from napari_unet_seg.nn.devices import choose_dtype
from napari_unet_seg.nn.sizes import apply_net


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch):
    """Leave `auto` to the timing, where the other tests take what their environment names."""
    monkeypatch.delenv(devices.PRECISION_VARIABLE, raising=False)
    monkeypatch.setattr(predictor_module, "_fastest", {})


@pytest.mark.parametrize("upsampling", ["bilinear", "transposed"])
def test_folding_changes_no_logit(make_checkpoint, upsampling):
    _, net = load_net(make_checkpoint(upsampling=upsampling, dropout=0.2))
    image = torch.rand(2, 1, 32, 48)
    with torch.no_grad():
        before = net.eval()(image)
        after = fold(net)(image)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in net.modules())
    assert torch.allclose(before, after, atol=1e-4)


@pytest.mark.parametrize("size", [(16, 16), (33, 47), (64, 64), (100, 70)])
@pytest.mark.parametrize("resample", [True, False])
def test_probabilities_have_the_size_of_the_slice(make_checkpoint, size, resample):
    predictor = load_predictor(make_checkpoint(), "cpu", "float32")
    images = np.random.default_rng(0).integers(0, 255, (2, 1, *size), dtype=np.uint8)
    found, _ = predictor.probabilities(images, PredictConfig(resample=resample))
    assert found.shape == (2, 1, *size)
    assert 0 <= found.min() and found.max() <= 1


def test_a_slice_of_the_training_size_is_not_resampled(make_checkpoint):
    path = make_checkpoint()
    info, net = load_net(path)
    images = np.random.default_rng(0).integers(0, 255, (1, 1, 64, 64), dtype=np.uint8)
    found, _ = load_predictor(path, "cpu", "float32").probabilities(images, PredictConfig())
    with torch.no_grad():
        wanted = net.eval()(torch.from_numpy(images).float() / 255).sigmoid()
    assert info.image_size == 64
    assert torch.allclose(found, wanted, atol=1e-4)


def test_bfloat16_gives_nearly_the_same_probabilities(make_checkpoint):
    path = make_checkpoint()
    images = np.random.default_rng(0).integers(0, 255, (1, 1, 64, 64), dtype=np.uint8)
    exact, fast = (
        load_predictor(path, "cpu", precision).probabilities(images, PredictConfig())[0]
        for precision in ("float32", "bfloat16")
    )
    assert (exact - fast).abs().max() < 0.05


def worth_it(monkeypatch, *answers):
    """Let the processor have bfloat16, and the timings come out so, one after another."""
    left = iter(answers)

    def timed(run):
        run(torch.float32)
        run(torch.bfloat16)
        return next(left)

    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    monkeypatch.setattr(devices, "_is_worth_it", timed)


def test_a_net_is_timed_in_both_precisions(make_checkpoint, monkeypatch):
    seen = []

    def apply(net, model, images):
        seen.append(images.dtype)
        return apply_net(net, model, images)

    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    monkeypatch.setattr(predictor_module, "apply_net", apply)
    predictor = load_predictor(make_checkpoint(), "cpu", "auto")
    assert {torch.float32, torch.bfloat16} == set(seen)
    assert seen.count(torch.float32) == seen.count(torch.bfloat16) > 1
    assert predictor.dtype in seen
    assert predictor.logits(torch.rand(1, 1, 64, 64)).isfinite().all()


def test_timing_the_precisions_leaves_the_weights_as_they_are(make_checkpoint, monkeypatch):
    worth_it(monkeypatch, False)
    path, images = make_checkpoint(), torch.rand(1, 1, 64, 64)
    exact, timed = (load_predictor(path, "cpu", how).logits(images) for how in ("float32", "auto"))
    assert torch.equal(exact, timed)


@pytest.mark.parametrize(
    ("told", "timed"),
    [
        ({"avx2": True, "avx512_bf16": False, "architecture": "x86_64"}, False),
        ({"avx512_bf16": True, "amx_bf16": False}, True),
        ({"neon": True, "bf16": True}, True),
    ],
)
def test_bfloat16_is_timed_where_the_processor_has_it(monkeypatch, told, timed):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: told)
    asked = []
    found = choose_dtype("auto", torch.device("cpu"), asked.append)
    assert (torch.bfloat16 in asked) == timed
    assert timed or found is torch.float32


@pytest.mark.parametrize(
    ("seconds", "found"), [((1.0, 0.7), torch.bfloat16), ((1.0, 0.9), torch.float32)]
)
def test_auto_precision_takes_bfloat16_where_it_is_clearly_faster(monkeypatch, seconds, found):
    now = [0.0]
    cost = dict(zip((torch.float32, torch.bfloat16), seconds, strict=True))

    def run(dtype):
        now[0] += cost[dtype]

    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    monkeypatch.setattr(devices.time, "perf_counter", lambda: now[0])
    assert choose_dtype("auto", torch.device("cpu"), run) is found


def test_models_of_one_shape_compute_in_one_precision(make_checkpoint, monkeypatch):
    worth_it(monkeypatch, True, False)
    found = [
        load_predictor(make_checkpoint(**shape), "cpu", "auto").dtype
        for shape in ({}, {}, {"width": 5})
    ]
    assert found == [torch.bfloat16, torch.bfloat16, torch.float32]
    assert load_predictor(make_checkpoint(), "cpu", "float32").dtype is torch.float32


def test_a_changed_file_is_loaded_anew(make_checkpoint):
    path = make_checkpoint()
    first = load_predictor(path, "cpu", "float32")
    assert load_predictor(path, "cpu", "float32") is first
    info, net = load_net(path)
    save_checkpoint(path, net, info.replace(epoch=9))
    assert load_predictor(path, "cpu", "float32").info.epoch == 9


def test_entropy_is_one_bit_at_a_coin_toss_and_zero_when_sure():
    p = np.array([[[0.5, 0.0, 1.0]]])
    assert entropy(p, "sigmoid") == pytest.approx(np.array([[1.0, 0, 0]]), abs=1e-4)
    two = np.array([[[1 / 3]], [[1 / 3]]])
    assert entropy(two, "softmax") == pytest.approx(np.log2(3), abs=1e-4)
