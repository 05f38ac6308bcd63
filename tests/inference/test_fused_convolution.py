"""Fused convolutions compute what a net's own do."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from napari_unet_seg.config import ModelConfig
from napari_unet_seg.inference.fused_convolution import FusedConvolution, can_fuse, fuse
from napari_unet_seg.inference.predictor import fold, load_predictor
from napari_unet_seg.nn.build import build_net
from napari_unet_seg.nn.devices import channels_last
from napari_unet_seg.nn.sizes import apply_net

pytestmark = pytest.mark.skipif(not can_fuse(torch.float32), reason="a torch without oneDNN")

CONVOLUTIONS = nn.Conv2d | nn.Conv3d


def ready(config: ModelConfig) -> nn.Module:
    """Return a folded net whose batch norms have seen something."""
    torch.manual_seed(0)
    net = build_net(config)
    shape = (2, config.in_channels, *[32] * config.dimensions)
    with torch.no_grad():
        apply_net(net.train(), config, torch.rand(shape))
    return channels_last(fold(net.eval()), torch.device("cpu"))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"activation": "relu"},
        {"activation": "prelu"},
        {"norm": "group", "dropout": 0.2},
        {"residual": True, "attention": True, "deep_supervision": True},
        {"downsampling": "dilated", "upsampling": "transposed", "normalised_up": True},
        {"dilation": 2, "in_channels": 3, "classes": 3, "head": "softmax"},
        {"padded": False, "depth": 1},
        {"dimensions": 3},
        {"dimensions": 3, "architecture": "vnet"},
    ],
    ids=str,
)
def test_fusing_changes_no_logit(changes):
    config = ModelConfig(**{"width": 4, "depth": 2, **changes})
    net = ready(config)
    images = torch.rand(2, config.in_channels, *[24] * config.dimensions)
    images = channels_last(images, torch.device("cpu"))
    fused = fuse(copy.deepcopy(net))
    with torch.inference_mode():
        found, wanted = (apply_net(n, config, images) for n in (fused, net))
    assert torch.allclose(found, wanted, atol=1e-4)
    assert not any(isinstance(module, CONVOLUTIONS) for module in fused.modules())


def test_the_activation_is_part_of_the_convolution():
    fused = fuse(ready(ModelConfig(width=4, depth=1)))
    assert not any(isinstance(module, nn.LeakyReLU) for module in fused.modules())
    assert sum(isinstance(module, FusedConvolution) for module in fused.modules()) == 8


@pytest.mark.parametrize("how", [{"padding": 1, "padding_mode": "reflect"}, {"padding": "same"}])
def test_other_paddings_than_so_many_zeros_stay_as_they_are(how):
    net = nn.Sequential(nn.Conv2d(1, 2, 3, **how), nn.ReLU())
    image = torch.rand(1, 1, 8, 8)
    fused = fuse(nn.Sequential(net))
    assert not any(isinstance(module, FusedConvolution) for module in fused.modules())
    assert torch.equal(fused(image), net(image))


def test_a_predictor_on_the_processor_is_packed(make_checkpoint):
    net = load_predictor(make_checkpoint(), "cpu", "float32")._net
    assert any(isinstance(module, FusedConvolution) for module in net.modules())


@pytest.mark.skipif(not can_fuse(torch.bfloat16), reason="a processor without bfloat16")
def test_bfloat16_is_rounded_once_a_layer():
    config = ModelConfig(width=4, depth=2)
    net = ready(config)
    image = channels_last(torch.rand(1, 1, 32, 32), torch.device("cpu"))
    with torch.inference_mode():
        exact = net(image)
        plain, fused = (
            change(copy.deepcopy(net).to(torch.bfloat16))(image.bfloat16()).float()
            for change in (lambda n: n, fuse)
        )
    assert fused.shape == exact.shape
    assert (fused - exact).abs().mean() <= 1.1 * (plain - exact).abs().mean()
