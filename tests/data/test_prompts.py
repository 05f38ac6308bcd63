"""Simulated prompts lie where a person would put them, on slices and on volumes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.data.prompts.marks import (
    BOX,
    NEGATIVE,
    POSITIVE,
    PREVIOUS,
    anywhere,
    box_around,
    click,
    corrected,
    first_prompts,
    largest_error,
    lasso,
    middle,
    no_prompts,
    scribble,
    trembling,
)
from napari_unet_seg.data.prompts.prior_masks import nearly
from napari_unet_seg.data.prompts.simulation import after_rounds, clicked, prompted

SEEDS = range(10)


def disc(shape: tuple[int, ...] = (96, 80), radius: float = 14) -> np.ndarray:
    """A disc or ball, off the middle."""
    grid = np.ogrid[tuple(slice(n) for n in shape)]
    return sum((g - 0.4 * n) ** 2 for g, n in zip(grid, shape, strict=True)) < radius**2


SHAPES = {"slice": disc(), "volume": disc((24, 40, 48), 8)}


@pytest.fixture(params=SHAPES)
def target(request) -> np.ndarray:
    return SHAPES[request.param]


def test_a_click_is_a_disc_at_its_point_even_at_the_border():
    maps = no_prompts((20, 30))
    click(maps, POSITIVE, np.array([10.2, 11.9]))
    assert ndimage.center_of_mass(maps[POSITIVE]) == (10, 12)
    assert maps[POSITIVE].sum() == 21 and not maps[1:].any()
    click(maps, NEGATIVE, np.array([-5, 40]))
    assert maps[NEGATIVE, 0, 29]


@pytest.mark.parametrize(("scale", "pixels"), [(0.25, 1), (0.5, 5), (1.0, 21)])
def test_a_click_is_smaller_on_a_small_image(scale: float, pixels: int):
    maps = no_prompts((20, 30))
    click(maps, POSITIVE, np.array([10, 12]), scale)
    assert maps[POSITIVE].sum() == pixels


def test_the_last_mark_counts():
    maps = no_prompts((20, 20))
    click(maps, POSITIVE, np.array([10, 10]))
    click(maps, NEGATIVE, np.array([10, 11]))
    assert not (maps[POSITIVE] & maps[NEGATIVE]).any()
    assert maps[NEGATIVE].sum() == 21


def test_a_hand_trembles_by_its_deviation():
    rng = np.random.default_rng(0)
    points = np.array([trembling(np.array([50, 60]), rng, 2.0) for _ in range(2000)])
    np.testing.assert_allclose(points.mean(0), (50, 60), atol=0.2)
    np.testing.assert_allclose(points.std(0), 2, atol=0.1)


def test_the_middle_is_that_of_the_largest_part():
    mask = np.zeros((40, 40), bool)
    mask[2:6, 2:6] = mask[20:31, 10:21] = True
    assert middle(mask).tolist() == [25, 15]


@pytest.mark.parametrize("seed", SEEDS)
def test_first_prompts_are_about_the_target(target, seed):
    maps = first_prompts(target, np.random.default_rng(seed))
    assert maps[:PREVIOUS].any((*range(1, maps.ndim),)).sum() >= 1
    assert not maps[PREVIOUS].any()
    distance = ndimage.distance_transform_edt(~target)
    assert distance[maps[POSITIVE]].max(initial=0) < 12
    if maps[BOX].any():
        assert (maps[BOX] & target).sum() > 0.5 * target.sum()


def test_first_prompts_are_of_all_kinds():
    kinds = np.array(
        [first_prompts(disc(), np.random.default_rng(s)).any((1, 2)) for s in range(60)]
    )
    assert kinds.any(0).tolist() == [True, True, True, False]


def test_nothing_is_prompted_for_an_empty_target():
    assert not first_prompts(np.zeros((20, 20), bool), np.random.default_rng(0)).any()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_scribble_stays_in_its_region(target, seed):
    maps = no_prompts(target.shape)
    scribble(maps, POSITIVE, target, np.random.default_rng(seed))
    assert maps[POSITIVE].any()
    assert not (maps[POSITIVE] & ~ndimage.binary_dilation(target)).any()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_box_slips_and_a_lasso_holds_all(target, seed):
    rng = np.random.default_rng(seed)
    box, loose = box_around(target, rng), lasso(target, rng)
    (sides,) = ndimage.find_objects(box.astype(np.uint8))
    assert box[sides].all()
    assert (box & target).sum() > 0.4 * target.sum()
    assert loose[target].all() and loose.sum() < target.size / 2


@pytest.mark.parametrize(
    ("answer", "truth", "channel"),
    [
        (disc(radius=6), disc(radius=14), POSITIVE),
        (disc(radius=20), disc(radius=14), NEGATIVE),
    ],
)
def test_the_largest_error_is_corrected_where_it_is(answer, truth, channel):
    found, error = largest_error(answer, truth)
    assert found == channel
    np.testing.assert_array_equal(error, answer ^ truth)
    maps = corrected(no_prompts(truth.shape), answer, truth, np.random.default_rng(1))
    np.testing.assert_array_equal(maps[PREVIOUS], answer)
    other = NEGATIVE if channel == POSITIVE else POSITIVE
    assert maps[channel].any() and not maps[other].any()
    assert ndimage.distance_transform_edt(~error)[maps[channel]].min() <= 4


def test_what_is_right_is_only_kept():
    maps = corrected(no_prompts((96, 80)), disc(), disc(), np.random.default_rng(0))
    assert not maps[:PREVIOUS].any()
    np.testing.assert_array_equal(maps[PREVIOUS], disc())


def test_masks_before_are_nearly_right(target):
    found = [nearly(target, np.random.default_rng(seed)) for seed in SEEDS]
    dice = [2 * (m & target).sum() / (m.sum() + target.sum()) for m in found]
    assert 0.5 < np.mean(dice) < 0.97
    assert np.std(dice) > 0.03
    assert not nearly(np.zeros((20, 20), bool), np.random.default_rng(0)).any()


def test_a_point_of_a_region_is_in_it():
    rng = np.random.default_rng(0)
    points = {tuple(anywhere(disc(), rng)) for _ in range(50)}
    assert len(points) > 30 and all(disc()[point] for point in points)


def batch(count: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    """Slices with two categories and an unreviewed corner."""
    masks = np.zeros((count, 64, 64), np.uint8)
    masks[:, 10:30, 10:30], masks[:, 40:50, 40:60] = 1, 2
    masks[:, :8, :8] = IGNORE_INDEX
    return torch.rand(count, 1, 64, 64), torch.from_numpy(masks)


UNKNOWN = torch.zeros(400, 64, 64, dtype=torch.uint8)
"""No mask of a slice beside."""


def nothing(inputs: torch.Tensor) -> np.ndarray:
    return np.zeros((len(inputs), *inputs.shape[2:]), bool)


def test_a_batch_means_one_category_of_each_sample():
    images, masks = batch(16)
    inputs, targets = prompted(images, masks, UNKNOWN[:16], nothing, np.random.default_rng(0))
    assert inputs.shape == (16, 5, 64, 64)
    torch.testing.assert_close(inputs[:, :1], images)
    meant = [set(np.unique(masks[i][targets[i] == 1])) for i in range(16)]
    assert meant.count({1}) > 3 and meant.count({2}) > 3
    assert (targets[:, :8, :8] == IGNORE_INDEX).all()


def test_a_seed_gives_the_same_batch_again():
    first, again = (
        prompted(*batch(4), UNKNOWN[:4], nothing, np.random.default_rng(5)) for _ in range(2)
    )
    other = prompted(*batch(4), UNKNOWN[:4], nothing, np.random.default_rng(6))
    assert torch.equal(first[0][:, 1:], again[0][:, 1:])
    assert not torch.equal(first[0][:, 1:], other[0][:, 1:])


def test_the_networks_own_answers_become_the_mask_so_far():
    images, masks = batch(40)
    targets = (masks == 1).byte().numpy()
    maps = np.stack([no_prompts((64, 64))] * 40)
    found = np.zeros((64, 64), bool)
    found[10:30, 10:20] = found[:8, :8] = True

    def answer(inputs: torch.Tensor) -> np.ndarray:
        return np.stack([found] * len(inputs))

    targets[:, :8, :8] = IGNORE_INDEX
    inputs, answers = after_rounds(images, targets, maps, answer, np.random.default_rng(0))
    inputs = inputs.numpy() > 0.5
    sizes = [len(asked) for asked, _ in answers]
    assert len(sizes) > 1 and sizes == sorted(sizes, reverse=True)
    corrected_once = inputs[:, 1 + PREVIOUS].any((1, 2))
    assert 10 < corrected_once.sum() < 35
    # what is found where nobody has reviewed is no error
    assert not inputs[corrected_once][:, 1 + NEGATIVE].any()
    assert not inputs[:, 1 + PREVIOUS, :8, :8].any()
    assert inputs[corrected_once][:, 1 + POSITIVE, 10:30, 18:32].any((1, 2)).all()


def test_validation_clicks_the_categories_in_turn_the_same_in_any_batch():
    images, masks = batch(3)
    inputs, targets = clicked(images, masks, range(3))
    alone, _ = clicked(images[1:2], masks[1:2], [1])
    assert torch.equal(inputs[1:2], alone)
    for target, mask, value in zip(targets, masks, (1, 2, 1), strict=True):
        assert (target == 1).equal(mask == value)
    assert ndimage.center_of_mass(inputs[0, 1].numpy()) == (19, 19)


def test_unlabelled_samples_get_neither_target_nor_prompt():
    images = torch.zeros(2, 1, 32, 32)
    masks = torch.zeros(2, 32, 32, dtype=torch.uint8)
    for inputs, targets in (
        prompted(images, masks, masks, nothing, np.random.default_rng(0)),
        clicked(images, masks, range(2)),
    ):
        assert not inputs[:, 1:].any() and not targets.any()
