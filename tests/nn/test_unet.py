"""The nets: shapes, counts, and errors that name the right size."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from pydantic import ValidationError

from napari_unet_seg.config import PRESETS, ModelConfig
from napari_unet_seg.nn.build import build_net
from napari_unet_seg.nn.devices import channels_last
from napari_unet_seg.nn.sizes import apply_net, input_size, output_size


def parameters(config: ModelConfig) -> int:
    return sum(p.numel() for p in build_net(config).parameters())


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
    widths = [width * 2**level for level in range(5)]
    found = parameters(ModelConfig(width=width, upsampling=upsampling))
    assert found == expected_parameters(widths, kernel)


# Worked out by hand for widths 64, 128, 256, 512, 1024, level by level.
# Contracting path, two 3×3 convolutions of 9·in·out weights and two batch norms of 2·out each:
BASE_DOWN = (
    (576 + 36_864 + 256)  # 1 → 64 → 64
    + (73_728 + 147_456 + 512)  # 64 → 128 → 128
    + (294_912 + 589_824 + 1_024)  # 128 → 256 → 256
    + (1_179_648 + 2_359_296 + 2_048)  # 256 → 512 → 512
    + (4_718_592 + 9_437_184 + 4_096)  # 512 → 1024 → 1024
)
# Expansive path: 1×1 convolution with bias that halves the width, then as above.
BASE_UP = (
    (524_288 + 512 + 4_718_592 + 2_359_296 + 2_048)  # 1024 → 512, 1024 → 512 → 512
    + (131_072 + 256 + 1_179_648 + 589_824 + 1_024)
    + (32_768 + 128 + 294_912 + 147_456 + 512)
    + (8_192 + 64 + 73_728 + 36_864 + 256)
)
BASE = BASE_DOWN + BASE_UP + 65  # 1×1 to one logit
# A batch norm after each up-sampling: 2 · (512 + 256 + 128 + 64); dilation adds none.
OPTIMISED = BASE + 1_920


def test_base_has_the_parameters_of_the_figure():
    assert parameters(PRESETS["base"].model) == BASE == 28_947_521


def test_optimised_has_the_parameters_of_base_and_its_norms():
    assert parameters(PRESETS["optimised"].model) == OPTIMISED == 28_949_441


# Figure 2 of Milletari et al., PReLU with a slope for each channel, biases everywhere.
# 5×5×5 convolution: 125·in·out + out, 2×2×2: 8·in·out + out, 1×1×1: in·out + out.
VNET = (
    (2_000 + 16 + 16)  # 1 → 16
    + (4_096 + 32 + 32)  # down to 32
    + 2 * (128_000 + 32 + 32)
    + (16_384 + 64 + 64)  # down to 64
    + 3 * (512_000 + 64 + 64)
    + (65_536 + 128 + 128)  # down to 128
    + 3 * (2_048_000 + 128 + 128)
    + (262_144 + 256 + 256)  # down to 256
    + 3 * (8_192_000 + 256 + 256)
    + (262_144 + 128 + 128)  # up, 256 → 128, joined to 256
    + 3 * (8_192_000 + 256 + 256)
    + (131_072 + 64 + 64)  # up, 256 → 64, joined to 128
    + 3 * (2_048_000 + 128 + 128)
    + (32_768 + 32 + 32)  # up, 128 → 32, joined to 64
    + 2 * (512_000 + 64 + 64)
    + (8_192 + 16 + 16)  # up, 64 → 16, joined to 32
    + (128_000 + 32 + 32)
    + (32 * 2 + 2)  # to background and foreground
)


def test_vnet_has_the_parameters_of_the_figure():
    config = ModelConfig(
        architecture="vnet", dimensions=3, norm="none", activation="prelu", head="softmax"
    )
    assert parameters(config) == VNET


OPTIONS = [
    {},
    {"downsampling": "max", "activation": "relu"},
    {"downsampling": "strided", "activation": "prelu"},
    {"downsampling": "dilated"},
    {"upsampling": "transposed"},
    {"upsampling": "transposed", "normalised_up": True},
    {"normalised_up": True},
    {"dilation": 2},
    {"dropout": 0.3},
    {"in_channels": 3, "classes": 2, "head": "softmax"},
    {"depth": 2},
    {"norm": "group"},
    {"norm": "instance"},
    {"norm": "none"},
    {"residual": True},
    {"residual": True, "norm": "none", "dropout": 0.2},
    {"attention": True},
    {"deep_supervision": True},
    {"residual": True, "attention": True, "deep_supervision": True},
    {"architecture": "vnet"},
    {"architecture": "vnet", "in_channels": 2, "dropout": 0.5},
]


def channels(config: ModelConfig) -> int:
    return config.classes + (config.head == "softmax")


@pytest.mark.parametrize("changes", OPTIONS, ids=str)
@pytest.mark.parametrize("size", [(32, 32), (33, 51), (45, 80)])
def test_logits_have_the_size_of_the_image(changes, size):
    config = ModelConfig(**{"width": 4, "depth": 3, **changes})
    net = build_net(config)
    logits = apply_net(net, config, torch.rand(2, config.in_channels, *size))
    assert logits.shape == (2, channels(config), *size)


@pytest.mark.parametrize("changes", OPTIONS, ids=str)
def test_logits_have_the_size_of_the_volume(changes):
    config = ModelConfig(**{"width": 4, "depth": 2, "dimensions": 3, **changes})
    net = build_net(config)
    logits = apply_net(net, config, torch.rand(2, config.in_channels, 9, 18, 11))
    assert logits.shape == (2, channels(config), 9, 18, 11)


@pytest.mark.parametrize("changes", OPTIONS, ids=str)
def test_every_weight_learns(changes):
    torch.manual_seed(0)
    config = ModelConfig(**{"width": 4, "depth": 3, **changes})
    net = build_net(config)
    logits = net.supervised(torch.rand(4, config.in_channels, 48, 48))
    sum(x.square().mean() for x in logits).backward()
    still = [n for n, p in net.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    assert still == []


@pytest.mark.parametrize(
    "changes", [{"normalised_up": True}, {"architecture": "vnet"}, {"residual": True}]
)
def test_gradients_lie_in_memory_as_the_layers_do(changes):
    """In a layout of their own, or as a view, they make the backward steps several times slower."""
    net = build_net(ModelConfig(width=8, depth=2, **changes))
    net = channels_last(net, torch.device("cpu")).train()
    dense: dict[str, bool] = {}

    def watch(name: str, output: torch.Tensor) -> None:
        def look(gradient: torch.Tensor) -> None:
            dense[name] = gradient.is_contiguous(memory_format=torch.channels_last)

        if output.requires_grad:
            output.register_hook(look)

    for name, module in net.named_modules():
        if not list(module.children()):
            module.register_forward_hook(lambda _, __, output, name=name: watch(name, output))
    images = channels_last(torch.rand(2, 1, 32, 32), torch.device("cpu"))
    net(images).square().mean().backward()
    assert dense
    assert [name for name, good in dense.items() if not good] == []


def test_deep_supervision_gives_logits_of_coarser_levels_at_full_size():
    net = build_net(ModelConfig(width=4, deep_supervision=True))
    logits = net.supervised(torch.rand(1, 1, 32, 32))
    assert [x.shape for x in logits] == [(1, 1, 32, 32)] * 3


CLASSIC = ModelConfig(width=4, padded=False, norm="none", activation="relu", downsampling="max")


def test_the_classic_net_takes_572_and_gives_388():
    net = build_net(CLASSIC)
    assert net(torch.rand(1, 1, 572, 572)).shape == (1, 1, 388, 388)
    assert output_size(CLASSIC, 572) == 388
    assert input_size(CLASSIC, 388) == 572


@pytest.mark.parametrize(
    "changes", [{}, {"residual": True}, {"attention": True}, {"dilation": 2, "depth": 2}], ids=str
)
@pytest.mark.parametrize("size", [(40, 57), (256, 129)])
def test_an_unpadded_net_covers_the_image(changes, size):
    config = CLASSIC.replace(**changes)
    logits = apply_net(build_net(config), config, torch.rand(1, 1, *size))
    assert logits.shape == (1, 1, *size)


def test_the_middle_of_an_unpadded_net_sees_the_image_in_place():
    """A net that copies its input shows whether padding and cropping are off by a pixel."""
    config = CLASSIC.replace(depth=1)

    class Cut(torch.nn.Module):
        def forward(self, x):
            lost = (x.shape[-1] - output_size(config, x.shape[-1])) // 2
            return x[..., lost:-lost, lost:-lost]

    image = torch.rand(1, 1, 31, 40)
    assert torch.equal(apply_net(Cut(), config, image), image)


def test_a_wrong_size_is_refused_with_the_right_one():
    with pytest.raises(ValueError, match=r"\(32, 48\), not \(20, 33\)"):
        build_net(ModelConfig(width=4))(torch.rand(1, 1, 20, 33))


def test_options_that_do_not_go_together_are_refused():
    with pytest.raises(ValidationError, match="attention is an option of the U-Net"):
        ModelConfig(architecture="vnet", attention=True)


@pytest.mark.parametrize("architecture", ["unet", "vnet"])
def test_dropout_changes_training_but_not_prediction(architecture):
    net = build_net(ModelConfig(width=4, dropout=0.5, architecture=architecture))
    image = torch.rand(4, 1, 32, 32)
    net.eval()
    assert torch.equal(net(image), net(image))
    net.train()
    assert not torch.equal(net(image), net(image))
