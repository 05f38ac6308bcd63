"""The net: shapes, counts, and errors that name the right size."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from napari_unet_seg.config import ModelConfig
from napari_unet_seg.nn.unet import UNet


def conv(k: int, i: int, o: int) -> int:
    """Weights of a k×k convolution without bias."""
    return k * k * i * o


def double(i: int, o: int) -> int:
    """Two 3×3 convolutions without bias, and two batch norms."""
    return conv(3, i, o) + conv(3, o, o) + 4 * o


def expected_parameters(widths: list[int], up: int) -> int:
    """Counted from the figure of Ronneberger et al. with padded convolutions and batch norm."""
    total = double(1, widths[0])
    for narrow, wide in pairwise(widths):
        total += double(narrow, wide)  # contracting
        total += conv(up, wide, narrow) + narrow + double(wide, narrow)  # expansive
    return total + widths[0] + 1


@pytest.mark.parametrize(("upsampling", "kernel"), [("bilinear", 1), ("transposed", 2)])
@pytest.mark.parametrize("width", [4, 64])
def test_parameter_count(width, upsampling, kernel):
    net = UNet(ModelConfig(width=width, upsampling=upsampling))
    widths = [width * 2**level for level in range(5)]
    assert sum(p.numel() for p in net.parameters()) == expected_parameters(widths, kernel)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"downsampling": "max", "activation": "relu"},
        {"upsampling": "transposed"},
        {"dilation": 2},
        {"dropout": 0.3},
        {"in_channels": 3, "classes": 2, "head": "softmax"},
        {"depth": 2},
    ],
)
@pytest.mark.parametrize("size", [(16, 16), (48, 80)])
def test_logits_have_the_size_of_the_input(changes, size):
    config = ModelConfig(width=4, **changes)
    channels = config.classes + (config.head == "softmax")
    logits = UNet(config)(torch.rand(2, config.in_channels, *size))
    assert logits.shape == (2, channels, *size)


def test_a_wrong_size_is_refused_with_the_right_one():
    with pytest.raises(ValueError, match=r"\(32, 48\), not \(20, 33\)"):
        UNet(ModelConfig(width=4))(torch.rand(1, 1, 20, 33))


def test_dropout_changes_training_but_not_prediction():
    net = UNet(ModelConfig(width=4, dropout=0.5))
    image = torch.rand(4, 1, 32, 32)
    net.eval()
    assert torch.equal(net(image), net(image))
    net.train()
    assert not torch.equal(net(image), net(image))


def test_every_weight_learns():
    net = UNet(ModelConfig(width=4))
    net(torch.rand(4, 1, 32, 32)).square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())
