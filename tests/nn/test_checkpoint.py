"""Checkpoints: whole, readable without torch, and refused when foreign."""

from __future__ import annotations

import json
import math

import pytest
import safetensors.torch
import torch

from napari_unet_seg.config import Category, ModelConfig, NormaliseConfig
from napari_unet_seg.errors import CheckpointError
from napari_unet_seg.models.header import HEADER_KEY, CheckpointInfo, read_header
from napari_unet_seg.nn.build import build_net
from napari_unet_seg.nn.checkpoint import (
    load_net,
    load_tensors,
    load_weights,
    save_checkpoint,
    with_prompts,
)


@pytest.fixture
def info() -> CheckpointInfo:
    return CheckpointInfo(
        version="1.2.3",
        model=ModelConfig(width=4, depth=2),
        categories=(Category(id=7, name="tumour"),),
        normalise=NormaliseConfig(low=2),
        image_size=64,
        metrics={"valid_dice": 0.5},
    )


def test_round_trip(info, tmp_path):
    net = build_net(info.model).eval()
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, net, info)
    read, again = load_net(path)
    image = torch.rand(1, 1, 32, 32)
    assert read == info == read_header(path)
    assert torch.equal(net(image), again.eval()(image))


def test_half_precision_halves_the_file(info, tmp_path):
    net = build_net(info.model)
    save_checkpoint(tmp_path / "full", net, info)
    save_checkpoint(tmp_path / "half", net, info, dtype=torch.float16)
    sizes = [(tmp_path / name).stat().st_size for name in ("half", "full")]
    assert sizes[0] < 0.7 * sizes[1]
    load_net(tmp_path / "half")


def _foreign(path):
    safetensors.torch.save_file({"weight": torch.zeros(2)}, path)


def _text(path):
    path.write_text("not a model at all")


def _unpickled(path):
    torch.save({"weight": torch.zeros(2)}, path)


def _huge_header(path):
    path.write_bytes(b"\xff" * 8 + b"{}")


@pytest.mark.parametrize("write", [_foreign, _text, _unpickled, _huge_header])
def test_a_foreign_file_is_refused_with_its_name(write, tmp_path):
    path = tmp_path / "strange.safetensors"
    write(path)
    with pytest.raises(CheckpointError, match=r"strange\.safetensors is not a model of this"):
        read_header(path)


def test_a_truncated_checkpoint_is_refused(info, tmp_path):
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, build_net(info.model), info)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="truncated"):
        load_net(path)


def test_a_missing_checkpoint_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="cannot be opened"):
        read_header(tmp_path / "none.safetensors")


def test_a_header_of_a_much_larger_net_is_refused_before_that_is_built(info, tmp_path):
    save_checkpoint(tmp_path / "a.safetensors", build_net(info.model), info)
    data = (tmp_path / "a.safetensors").read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    known = json.loads(header["__metadata__"][HEADER_KEY])
    known["model"] |= {"width": 128, "depth": 6}
    header["__metadata__"][HEADER_KEY] = json.dumps(known)
    text = json.dumps(header).encode()
    larger = len(text).to_bytes(8, "little") + text + data[8 + length :]
    (tmp_path / "a.safetensors").write_bytes(larger)
    with pytest.raises(CheckpointError, match=r"a\.safetensors do not fit the net that its header"):
        load_tensors(tmp_path / "a.safetensors")


def test_weights_that_do_not_fit_their_description_are_refused(info, tmp_path):
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, build_net(ModelConfig(width=8, depth=2)), info)
    with pytest.raises(CheckpointError, match="do not fit"):
        load_net(path)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("state", ["last.bias", "optimiser.0.exp_avg"])
def test_weights_that_are_not_finite_are_refused(value, state, info, tmp_path):
    path = tmp_path / "model.safetensors"
    net = build_net(info.model)
    extra = {"optimiser.0.exp_avg": torch.zeros(3)}
    tensors = {**net.state_dict(), **extra}
    tensors[state].view(-1)[0] = value
    save_checkpoint(path, net, info, extra)
    with pytest.raises(CheckpointError, match=rf"model\.safetensors.*{state}.*not finite"):
        load_tensors(path)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"image_size": 0}, "image_size"),
        ({"image_size": -1}, "image_size"),
        ({"patch_slices": 0}, "patch_slices"),
        ({"categories": []}, "categories"),
        ({"categories": [{"id": i, "name": str(i)} for i in range(3)]}, "3 categories for 1 class"),
        ({"calibration": [[math.nan, 1]]}, "calibration"),
    ],
)
def test_a_header_that_no_training_writes_is_refused(changes, reason, info, tmp_path):
    path = tmp_path / "model.safetensors"
    header = json.dumps(info.content() | changes)
    tensors = {"net." + name: value for name, value in build_net(info.model).state_dict().items()}
    safetensors.torch.save_file(tensors, path, {HEADER_KEY: header})
    with pytest.raises(CheckpointError, match=rf"model\.safetensors is not a model.*{reason}"):
        read_header(path)


def test_a_net_of_prompts_has_one_class_for_all_categories(info):
    prompts = info.model.replace(prompts=True)
    several = [Category(id=i, name=str(i)) for i in range(3)]
    assert len(info.replace(model=prompts, categories=several).categories) == 3


@pytest.mark.parametrize("architecture", ["unet", "vnet"])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_prompts_count_for_nothing_before_they_are_learnt(architecture, dimensions, tmp_path):
    config = ModelConfig(
        architecture=architecture, width=4, depth=2, in_channels=2, dimensions=dimensions
    )
    plain, follows = build_net(config).eval(), build_net(config.replace(prompts=True)).eval()
    tensors = {f"net.{name}": value for name, value in plain.state_dict().items()}
    load_weights(follows, with_prompts(follows, tensors), tmp_path)
    image = torch.rand(1, 2, *[16] * dimensions)
    maps = torch.rand(1, 4, *[16] * dimensions)
    seen = torch.cat([image, maps], 1)
    torch.testing.assert_close(follows(seen), plain(image), atol=1e-5, rtol=1e-4)
