"""What a network of prompts is measured on before and during its training."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_unet_seg.config import ModelConfig, TrainConfig
from napari_unet_seg.nn.build import Net, build_net
from napari_unet_seg.training.distributed import ProcessGroup
from napari_unet_seg.training.held_out.validation import validate
from napari_unet_seg.training.recipe import slice_scores
from napari_unet_seg.training.trainer import Trainer

COUNT, PIXELS = 6, 32 * 32
SIZES = (16 * 16, 4 * 4)
"""Pixels of the two categories on each slice."""
DICE = [2 * size / (size + PIXELS) for size in SIZES]
"""Of a network that takes the whole slice for what is marked."""


class Items:
    """Slices in memory, each with a large and a small object."""

    def __len__(self) -> int:
        return COUNT

    def owner(self, index: int) -> int:
        return index

    def take(self, indices, generator):
        masks = torch.zeros(COUNT, 32, 32, dtype=torch.uint8)
        masks[:, 2:18, 2:18], masks[:, 24:28, 24:28] = 1, 2
        return torch.zeros(len(indices), 1, 32, 32), masks[indices]


@pytest.fixture
def net() -> Net:
    """A network of prompts that finds everything."""
    net = build_net(ModelConfig(width=4, depth=2, prompts=True))
    with torch.no_grad():
        net.last.bias.fill_(50)
    return net


def test_held_out_slices_are_measured_on_each_category_in_turn(net: Net) -> None:
    config = TrainConfig(image_size=32, precision="float32", model=net.config)
    processes = ProcessGroup(torch.device("cpu"))
    trainer = Trainer(net, config, processes, total_steps=1)
    patients = [str(index) for index in range(COUNT)]
    found = validate(trainer, Items(), 4, 1, processes, patients)
    assert found.dices == pytest.approx({(i, 1): DICE[i % 2] for i in range(COUNT)})
    assert found.dice == pytest.approx(np.mean(DICE))


def test_the_recipe_looks_at_each_category_in_turn(net: Net) -> None:
    assert slice_scores(net, Items(), COUNT) == pytest.approx(DICE * (COUNT // 2))
