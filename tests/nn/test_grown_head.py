"""The last layer for other categories: old answers stay, new categories beside them start rare."""

from __future__ import annotations

import pytest
import torch

from napari_unet_seg.config import ModelConfig
from napari_unet_seg.nn.build import build_net
from napari_unet_seg.nn.grown_head import grow_heads

SMALL = ModelConfig(width=4, depth=2, deep_supervision=True)
TWO = SMALL.replace(classes=2, head="softmax")
THREE = SMALL.replace(classes=3, head="softmax")


def grown(old: ModelConfig, new: ModelConfig, known: list[str], wanted: list[str]):
    """Return the probabilities of a random net, and of the net that it grew to, on one image."""
    torch.manual_seed(0)
    base, net = build_net(old), build_net(new)
    tensors = {f"net.{key}": value for key, value in base.state_dict().items()}
    softmax = old.head == "softmax"
    state = grow_heads(net, tensors, known, wanted, with_background=softmax)
    net.load_state_dict({key.removeprefix("net."): value for key, value in state.items()})
    image = torch.rand(1, 1, 16, 16)
    pair = []
    for each in (base.eval(), net.eval()):
        logits = each(image)
        pair.append(logits.softmax(1) if each.config.head == "softmax" else logits.sigmoid())
    return pair


def test_a_single_category_keeps_its_answer_under_softmax():
    before, after = grown(SMALL, TWO, ["tumour"], ["cyst", "tumour"])
    tumour, background, cyst = after[:, 2], after[:, 0], after[:, 1]
    torch.testing.assert_close(tumour / (tumour + background), before[:, 0])
    torch.testing.assert_close(cyst / background, torch.full_like(cyst, torch.e**-4))


def test_categories_keep_their_answers_in_another_order():
    before, after = grown(TWO, THREE, ["oedema", "core"], ["core", "new", "oedema"])
    torch.testing.assert_close(after[:, 3] / after[:, 1], before[:, 1] / before[:, 2])
    torch.testing.assert_close(after[:, 1] / after[:, 0], before[:, 2] / before[:, 0])
    assert bool((after[:, 2] < 0.02).all())


def test_categories_can_be_dropped():
    before, after = grown(THREE, TWO, ["a", "b", "c"], ["c", "a"])
    torch.testing.assert_close(after[:, 1] / after[:, 0], before[:, 3] / before[:, 0])


def test_categories_that_are_all_new_start_with_the_nets_own_layers():
    net = build_net(THREE)
    tensors = {f"net.{key}": value for key, value in build_net(SMALL).state_dict().items()}
    state = grow_heads(net, tensors, ["brain"], ["fluid", "grey", "white"], with_background=False)
    own = {f"net.{key}": value for key, value in net.state_dict().items()}
    changed = {key for key in tensors if tensors[key] is not state[key]}
    assert changed and all(torch.equal(state[key], own[key]) for key in changed)
    assert {state[key].shape[0] for key in changed} == {4}


@pytest.mark.parametrize("architecture", ["unet", "vnet"])
def test_new_categories_learn(architecture: str):
    changes = {"architecture": architecture, "deep_supervision": False}
    old, new = SMALL.replace(**changes), TWO.replace(**changes)
    torch.manual_seed(0)
    net = build_net(new)
    tensors = {f"net.{key}": value for key, value in build_net(old).state_dict().items()}
    state = grow_heads(net, tensors, ["tumour"], ["tumour", "cyst"], with_background=False)
    net.load_state_dict({key.removeprefix("net."): value for key, value in state.items()})
    image = torch.rand(1, 1, 16, 16)
    (-net(image).log_softmax(1)[:, 2].mean()).backward()
    assert net.last.weight.grad is not None
    assert bool(net.last.weight.grad[2].any())
