"""Augmentation moves the image and its mask alike."""

from __future__ import annotations

import pytest
import torch

from napari_unet_seg.config import AugmentConfig
from napari_unet_seg.data.augment import augment

OFF = AugmentConfig(translate=False, rotate=False)


def square(size: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    masks = torch.zeros(32, size, size, dtype=torch.uint8)
    masks[:, 24:40, 20:36] = 1
    return masks[:, None].float(), masks


def run(config: AugmentConfig, seed: int = 0):
    return augment(*square(), config, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("switch", ["translate", "rotate", "scale", "flip"])
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
