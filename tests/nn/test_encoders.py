"""Encoders from elsewhere: built by name, filled from local files, trained and predicted with."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
import torchvision_operators
from streams import here

from napari_unet_seg.config import Category, ModelConfig, PredictConfig, TrainConfig
from napari_unet_seg.data.samples import Sample, SampleSet
from napari_unet_seg.errors import CheckpointError, ConfigError, DataError
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.nn.build import build_net
from napari_unet_seg.nn.encoders import EncoderUNet
from napari_unet_seg.nn.sizes import apply_net

pytestmark = [
    # of packages that it needs
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore:Failed to load image:UserWarning"),
]
SMALL = ModelConfig(encoder="resnet18", depth=3, width=8)


@pytest.fixture(autouse=True, scope="module")
def operators() -> None:
    torchvision_operators.declare()


def encoder(config: ModelConfig = SMALL) -> EncoderUNet:
    net = build_net(config)
    assert isinstance(net, EncoderUNet)
    return net


@pytest.fixture
def pretrained(tmp_path: Path) -> tuple[Path, dict[str, torch.Tensor]]:
    """Weights of an encoder of three channels, as one finds them, with a classifier's end."""
    state = encoder(SMALL.replace(in_channels=3)).encoder.state_dict()
    state = {k: torch.rand_like(v) / 100 if v.is_floating_point() else v for k, v in state.items()}
    torch.save({**state, "fc.weight": torch.zeros(10, 512)}, tmp_path / "resnet18.pth")
    return tmp_path / "resnet18.pth", state


@pytest.mark.parametrize("name", ["resnet18", "efficientnet-b0", "vgg11_bn", "densenet121"])
@pytest.mark.parametrize("depth", [3, 5])
def test_logits_have_the_size_of_the_image(name: str, depth: int) -> None:
    config = SMALL.replace(encoder=name, depth=depth, classes=2, head="softmax", in_channels=2)
    with torch.no_grad(), torch.device("meta"):  # without the hundred million weights of some
        logits = apply_net(encoder(config).eval(), config, torch.zeros(1, 2, 70, 37))
    assert logits.shape == (1, 3, 70, 37)


def test_weights_of_three_channels_fit_a_grey_image(pretrained) -> None:
    path, state = pretrained
    net = encoder()
    net.load_encoder(path)
    found = net.encoder.state_dict()
    torch.testing.assert_close(found["layer1.0.conv1.weight"], state["layer1.0.conv1.weight"])
    # Three equal channels give what the grey one gives.
    torch.testing.assert_close(found["conv1.weight"], state["conv1.weight"].sum(1, keepdim=True))


def test_weights_of_a_whole_model_and_safetensors_are_taken(pretrained, tmp_path: Path) -> None:
    _, state = pretrained
    named = {f"encoder.{key}": value.contiguous() for key, value in state.items()}
    named["decoder.x"] = torch.zeros(1)
    safetensors.torch.save_file(named, tmp_path / "whole.safetensors")
    net = encoder()
    net.load_encoder(tmp_path / "whole.safetensors")
    found = net.encoder.state_dict()["layer2.0.conv1.weight"]
    torch.testing.assert_close(found, state["layer2.0.conv1.weight"])


def test_weights_of_the_nets_own_channels_are_taken_as_they_are(tmp_path: Path) -> None:
    state = encoder().encoder.state_dict()
    torch.save(state, tmp_path / "grey.pth")
    net = encoder()
    net.load_encoder(tmp_path / "grey.pth")
    torch.testing.assert_close(net.encoder.state_dict(), state)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"weights\.pth cannot be read"),
        (b"nonsense", r"weights\.pth holds no weights that can be read safely"),
        ({"a": torch.zeros(1)}, r"weights\.pth are not those of the encoder resnet18"),
        ({"conv1.weight": torch.zeros(1)}, r"are not those of the encoder resnet18"),
        ({"a": torch.tensor([torch.nan])}, r"weights\.pth are unusable \(a holds .* not finite"),
        ([1, 2], r"weights\.pth holds something other than weights"),
        ({"a": Path("x")}, r"weights\.pth holds no weights that can be read safely"),
    ],
)
def test_other_files_are_refused(content, message: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(CheckpointError, match=message):
        encoder().load_encoder(path)


def test_an_unknown_encoder_is_refused() -> None:
    with pytest.raises(ConfigError, match="no encoder 'resnet19'; take resnet34"):
        build_net(SMALL.replace(encoder="resnet19"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"depth": 2}, "halves 3 to 5 times, not 2"),
        ({"dimensions": 3}, "an encoder needs the architecture unet in 2 dimensions"),
        ({"architecture": "vnet"}, "an encoder needs the architecture unet in 2 dimensions"),
        ({"attention": True}, "attention is an option of the U-Net's own path"),
        ({"norm": "group"}, "norm is an option of the U-Net's own path"),
    ],
)
def test_options_that_contradict_it_are_refused(changes, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SMALL.replace(**changes)


def test_weights_without_an_encoder_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"set model\.encoder"):
        TrainConfig().replace(encoder_weights="resnet18.pth")


def test_an_empty_path_as_older_files_hold_it_names_no_weights() -> None:
    assert TrainConfig.parse({"encoder_weights": ""}, "an older file") == TrainConfig()


def test_without_the_package_one_is_told_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "segmentation_models_pytorch", None)
    with pytest.raises(DataError, match=r'pip install "napari-unet-seg\[encoders\]"'):
        build_net(SMALL)


def test_it_trains_frozen_and_predicts(pretrained, tmp_path: Path) -> None:
    path, state = pretrained
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (4, 32, 32), np.uint8)
    samples = tuple(
        Sample(str(i), im, (im > 200) * np.uint8(1), str(i)) for i, im in enumerate(images)
    )
    config = TrainConfig(
        epochs=1,
        batch_size=2,
        image_size=32,
        freeze=1,
        precision="float32",
        encoder_weights=str(path),
        model=SMALL,
    )
    data = SampleSet(samples, (Category(id=1, name="tumour"),), "noise")
    *_, done = here("napari_unet_seg.engine:train", config, data, tmp_path / "run")
    stored = safetensors.torch.load_file(done.best)
    kept = stored["net.encoder.layer1.0.conv1.weight"]
    torch.testing.assert_close(kept, state["layer1.0.conv1.weight"])
    how = PredictConfig(precision="float32", device="cpu")
    scan = Scan(images, "NYX")
    *_, result = here("napari_unet_seg.engine:predict", how, done.best, scan)
    assert result.labels.shape == images.shape
