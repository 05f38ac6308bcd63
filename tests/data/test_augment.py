"""Augmentation moves the image and its mask alike."""

from __future__ import annotations

import pytest
import torch

from napari_unet_seg.config import AugmentConfig
from napari_unet_seg.data.augment.augment import augment
from napari_unet_seg.data.augment.leave_out import leave_out

OFF = AugmentConfig(probability=1, translate=False, rotate=False)


def square(size: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    masks = torch.zeros(32, size, size, dtype=torch.uint8)
    masks[:, 24:40, 20:36] = 1
    return masks[:, None].float(), masks


def run(config: AugmentConfig, seed: int = 0):
    return augment(*square(), config, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("switch", ["translate", "rotate", "scale", "flip", "turn", "elastic"])
def test_image_and_mask_move_together(switch):
    images, masks = run(OFF.replace(**{switch: True, "rotation": 45.0}))
    original, _ = square()
    assert (images - original).abs().max() > 0.5
    assert ((images[:, 0] > 0.5) == (masks > 0)).float().mean() > 0.995


def test_nothing_changes_with_all_switches_off():
    images, masks = run(OFF)
    original = square()
    assert torch.equal(images, original[0]) and torch.equal(masks, original[1])


def test_translation_is_a_share_of_the_size_and_stays_within_it():
    _, masks = run(OFF.replace(translate=True, translation=0.1))
    columns = torch.stack([m.any(0).nonzero().float().mean() for m in masks]) - 27.5
    assert columns.abs().max() <= 6.4 + 0.5
    assert columns.abs().max() > 4
    assert columns.min() < 0 < columns.max()


def test_rotation_stays_within_its_degrees():
    images = torch.zeros(64, 1, 101, 101)
    images[:, :, 50, 50:] = 1  # a ray from the centre to the right
    masks = images[:, 0].to(torch.uint8)
    turned, _ = augment(images, masks, OFF.replace(rotate=True), torch.Generator().manual_seed(1))
    rows = turned[:, 0, :, 90].argmax(1).float() - 50
    angles = torch.rad2deg(torch.atan2(rows, torch.tensor(40.0)))
    assert 3 < angles.abs().max() <= 5.8  # a pixel at that radius is 1.4 degrees


def test_a_rotation_keeps_the_area():
    _, masks = run(OFF.replace(rotate=True, rotation=180.0))
    areas = masks.flatten(1).sum(1).float()
    assert (areas / (16 * 16) - 1).abs().max() < 0.08


def test_gamma_changes_the_image_alone():
    images = torch.full((8, 1, 4, 4), 0.5)
    masks = torch.ones(8, 4, 4, dtype=torch.uint8)
    changed, same = augment(
        images, masks, OFF.replace(gamma=True), torch.Generator().manual_seed(0)
    )
    assert torch.equal(masks, same)
    assert changed.std() > 0.01
    assert 0.5**1.4 <= changed.min() and changed.max() <= 0.5**0.7


def test_labels_survive_as_they_are():
    _, masks = square()
    masks = masks * 200
    _, moved = augment(masks[:, None].float(), masks, AugmentConfig(), torch.Generator())
    assert set(moved.unique().tolist()) == {0, 200}


def test_the_generator_decides():
    assert torch.equal(run(AugmentConfig(), 3)[0], run(AugmentConfig(), 3)[0])
    assert not torch.equal(run(AugmentConfig(), 3)[0], run(AugmentConfig(), 4)[0])


GREY = ["gamma", "bias_field", "noise", "blur", "invert"]


def grey_square() -> tuple[torch.Tensor, torch.Tensor]:
    images, masks = square()
    return images * 0.5 + 0.25, masks


@pytest.mark.parametrize("switch", GREY)
def test_grey_values_change_within_their_range_and_masks_stay(switch):
    images, masks = grey_square()
    changed, same = augment(
        images, masks, OFF.replace(**{switch: True}), torch.Generator().manual_seed(0)
    )
    assert torch.equal(same, masks)
    differences = (changed - images).abs().amax((1, 2, 3))
    assert (differences > 0.005).float().mean() > 0.8
    assert changed.min() >= 0 and changed.max() <= 1
    assert len({round(float(d), 4) for d in differences}) > (1 if switch != "invert" else 0)


@pytest.mark.parametrize("switch", [*GREY, "flip", "turn", "strip", "elastic"])
def test_the_probability_is_the_share_of_changed_samples(switch):
    images = torch.rand(400, 1, 24, 24, generator=torch.Generator().manual_seed(1)) * 0.8 + 0.1
    masks = torch.ones(400, 24, 24, dtype=torch.uint8)
    config = OFF.replace(**{switch: True}, probability=0.25)
    changed, _ = augment(images, masks, config, torch.Generator().manual_seed(0))
    share = float(((changed - images).abs().amax((1, 2, 3)) > 0.01).float().mean())
    # two axes to mirror; one quarter turn in four changes nothing
    expected = {"flip": 1 - 0.75**2, "turn": 0.25 * 0.75}.get(switch, 0.25)
    assert share == pytest.approx(expected, abs=0.07)


def test_inverting_twice_gives_the_image_back():
    images, masks = grey_square()
    config = OFF.replace(invert=True)
    once, _ = augment(images, masks, config, torch.Generator())
    twice, _ = augment(once, masks, config, torch.Generator())
    assert torch.allclose(once, 1 - images) and torch.allclose(twice, images)


def test_stripping_takes_the_rim_and_what_is_labelled_there():
    y, x = torch.meshgrid(torch.arange(128), torch.arange(128), indexing="ij")
    radius = ((y - 64) ** 2 + (x - 64) ** 2).sqrt()
    head = torch.where(radius < 50, 0.4, 0.0) + torch.where((radius > 44) & (radius < 50), 0.6, 0.0)
    images = head.expand(4, 1, 128, 128)
    masks = (radius < 50).to(torch.uint8).expand(4, 128, 128).contiguous()
    stripped, left = augment(images, masks, OFF.replace(strip=True), torch.Generator())
    assert stripped[0, 0, 64, 64] == 1  # the brightest of what is left
    assert not stripped[:, :, radius > 46].any()
    assert torch.equal(left[0] > 0, stripped[0, 0] > 0)
    assert left[0].sum() > 0.3 * masks[0].sum()


@pytest.mark.parametrize("switch", ["translate", "rotate", "scale", "flip", "turn", "elastic"])
def test_volumes_move_with_their_masks(switch):
    masks = torch.zeros(8, 20, 24, 28, dtype=torch.uint8)
    masks[:, 6:14, 8:18, 6:18] = 1
    config = OFF.replace(**{switch: True}, rotation=45.0)
    images, moved = augment(masks[:, None].float(), masks, config, torch.Generator().manual_seed(0))
    assert (moved != masks).any()
    assert ((images[:, 0] > 0.5) == (moved > 0)).float().mean() > 0.99


@pytest.mark.parametrize("switch", [*GREY, "strip"])
def test_volumes_change_their_grey_values(switch):
    images = torch.rand(4, 2, 12, 16, 20, generator=torch.Generator().manual_seed(0))
    masks = torch.ones(4, 12, 16, 20, dtype=torch.uint8)
    changed, _ = augment(images, masks, OFF.replace(**{switch: True}), torch.Generator())
    assert changed.shape == images.shape and not torch.equal(changed, images)


def test_sequences_are_left_out_with_their_probability_and_one_stays():
    before = torch.rand(4000, 3, 2, 2) + 0.1
    left = leave_out(before, before, 0.35, torch.Generator().manual_seed(0))
    kept = left.flatten(2).amax(2) > 0
    assert kept.any(1).all()
    expected = 0.65 + 0.35**3 / 3  # where all would be left out, each stays as often
    assert kept.float().mean(0).tolist() == pytest.approx([expected] * 3, abs=0.03)
    torch.testing.assert_close(left[kept], before[kept])
    again = leave_out(before, before, 0.35, torch.Generator().manual_seed(0))
    torch.testing.assert_close(left, again)
    assert torch.equal(leave_out(before, before, 0.0, torch.Generator()), before)


def test_a_missing_sequence_stays_missing_whatever_the_augmentation_adds():
    before = torch.rand(500, 2, 4, 4)
    before[:, 1] = 0
    left = leave_out(1 - before, before, 0.35, torch.Generator().manual_seed(0))
    assert not left[:, 1].any()
    torch.testing.assert_close(left[:, 0], 1 - before[:, 0])
