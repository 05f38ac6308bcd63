from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from streams import here

from napari_unet_seg.config import FINE_TUNE, THOROUGH, Category, ModelConfig, TrainConfig
from napari_unet_seg.data.samples import Sample, SampleSet
from napari_unet_seg.events import TrainStarted
from napari_unet_seg.models.header import read_header
from napari_unet_seg.nn.build import build_net
from napari_unet_seg.training.recipe import choose_recipe, slice_scores

if TYPE_CHECKING:
    from pathlib import Path

GOOD, BAD = [0.9, 0.8, 0.7, 0.95] * 4, [0.0, 0.3, 0.5, 0.6] * 4


@pytest.mark.parametrize(
    ("scores", "own", "recipe", "reason"),
    [
        (GOOD, 0.82, "gentle", "Dice is 0.84 on 16 of the new slices, as on"),
        (
            BAD,
            0.82,
            "thorough",
            "Dice is 0.35 on 16 of the new slices, too low for data of a known",
        ),
        (BAD, None, "thorough", r"a known kind \(0.80\); set recipe to gentle"),
        (BAD, 0.4, "gentle", r"0.35 on 16 of the new slices, as on .* kind \(0.40\); set"),
        (BAD[:7], 0.82, "gentle", "7 slices cannot tell how new the data are"),
        ([0.2] * 7 + [0.9] * 3, 0.82, "thorough", "0.41 on 10"),
        ([0.2, 0.9] * 4, 0.82, "gentle", "0.55 on 8 of the new slices, as on"),
        ([], 0.82, "gentle", "0 slices cannot tell"),
    ],
)
def test_a_low_dice_on_enough_slices_takes_the_thorough_recipe(scores, own, recipe, reason):
    chosen, note = choose_recipe(FINE_TUNE, scores, own, 100)
    assert chosen.recipe == recipe
    assert re.search(reason, note)
    assert note.endswith(".") and note.count(". ") == 0
    other = {"gentle": "thorough for large", "thorough": "gentle for small"}[recipe]
    assert note.endswith(f"; set recipe to {other} steps.")


def test_the_thorough_recipe_takes_its_settings():
    chosen, _ = choose_recipe(FINE_TUNE, BAD, 0.82, 400)
    assert {name: getattr(chosen, name) for name in THOROUGH} == THOROUGH
    assert chosen.augment.flip and not chosen.keep_statistics


@pytest.mark.parametrize(("samples", "epochs"), [(5000, 8), (363, 8), (200, 14), (40, 20)])
def test_few_samples_are_seen_more_often(samples, epochs):
    chosen, note = choose_recipe(FINE_TUNE, BAD, 0.82, samples)
    assert chosen.epochs == epochs
    assert f"thorough ({epochs} epochs, large steps" in note


def test_a_setting_that_was_changed_stays():
    changed = FINE_TUNE.replace(learning_rate=3e-4, keep_statistics=True, epochs=3)
    chosen, _ = choose_recipe(changed, BAD, 0.82, 100)
    assert (chosen.learning_rate, chosen.epochs) == (3e-4, 3)
    assert chosen.ema == THOROUGH["ema"]


@pytest.mark.parametrize("scores", [GOOD, BAD])
def test_a_recipe_that_was_chosen_stays_and_needs_no_reason(scores):
    gentle = FINE_TUNE.replace(recipe="gentle")
    assert choose_recipe(gentle, scores, 0.82, 100) == (gentle, "")
    thorough, note = choose_recipe(FINE_TUNE.replace(recipe="thorough"), scores, 0.82, 100)
    assert (thorough.recipe, thorough.learning_rate, note) == ("thorough", 1e-3, "")


def test_training_from_nothing_and_settings_of_previous_files_are_as_given():
    assert TrainConfig().recipe == "gentle"


class Items:
    """Slices in memory; those from 4 have no object."""

    def __init__(self) -> None:
        self.masks = torch.zeros(12, 32, 32, dtype=torch.uint8)
        self.masks[:4, 8:16, 8:16] = 1
        self.taken: list[int] = []

    def __len__(self) -> int:
        return len(self.masks)

    def owner(self, index: int) -> int:
        return index

    def take(self, indices, generator):
        self.taken += indices.tolist()
        return torch.zeros(len(indices), 1, 32, 32), self.masks[indices]


@pytest.mark.parametrize("prompts", [False, True])
def test_only_new_slices_with_an_object_are_scored(prompts):
    items = Items()
    net = build_net(ModelConfig(width=4, depth=2, prompts=prompts))
    with torch.no_grad():
        net.last.bias.fill_(50)
    scores = slice_scores(net, items, 6)
    assert scores == pytest.approx([2 * 64 / (64 + 1024)] * 4)
    assert items.taken == [*range(6)]


def test_a_training_from_a_checkpoint_says_which_recipe_it_takes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (12, 32, 32), np.uint8)
    masks = (rng.random((12, 32, 32)) > 0.5).astype(np.uint8)
    samples = SampleSet(
        tuple(Sample(str(i), images[i], masks[i], str(i)) for i in range(12)),
        (Category(id=1, name="tumour"),),
        "noise",
        confirmed=True,
    )
    small = {"image_size": 32, "precision": "float32", "epochs": 1, "twins": False}
    config = TrainConfig(model=ModelConfig(width=4, depth=2), learning_rate=1e-6, **small)
    *_, base = here("napari_unet_seg.engine:train", config, samples, tmp_path / "base")
    tune = FINE_TUNE.replace(**small)
    events = [*here("napari_unet_seg.engine:train", tune, samples, tmp_path / "t", init=base.best)]
    (started,) = (e for e in events if isinstance(e, TrainStarted))
    stored = TrainConfig.from_file(tmp_path / "t" / "config.yaml")
    assert stored.recipe in ("gentle", "thorough")
    assert started.recipe.startswith(f"The recipe is {stored.recipe} (")
    options = read_header(tmp_path / "t" / "best.safetensors").summary["options"]
    assert options["recipe"] == stored.recipe
