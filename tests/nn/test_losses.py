"""The losses, against figures worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.nn.losses import dice_bce, dice_ce


def logit(p: float) -> float:
    return math.log(p / (1 - p))


def test_dice_bce_by_hand():
    logits = torch.tensor([[[[logit(0.8), logit(0.4)]]]])
    labels = torch.tensor([[[1, 0]]])
    bce = -(math.log(0.8) + math.log(0.6)) / 2
    dice = 2 * 0.8 / (0.8 + 0.4 + 1)
    assert dice_bce(logits, labels).item() == pytest.approx(1 - dice + bce, rel=1e-4)


def test_dice_ce_by_hand():
    p = torch.tensor([[0.2, 0.8], [0.7, 0.3]])  # two pixels, background and one class
    logits = p.log().T.reshape(1, 2, 1, 2)
    labels = torch.tensor([[[1, 0]]])
    ce = -(math.log(0.8) + math.log(0.7)) / 2
    dice = 2 * 0.8 / (1.1 + 1)
    assert dice_ce(logits, labels).item() == pytest.approx(1 - dice + ce, rel=1e-4)


@pytest.mark.parametrize(("loss", "channels"), [(dice_bce, 2), (dice_ce, 3)])
def test_ignored_pixels_do_not_count(loss, channels):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, channels, 4, 6, generator=generator)
    labels = torch.randint(0, 3, (2, 4, 6), generator=generator)
    cropped = loss(logits[..., :3], labels[..., :3])
    labels[..., 3:] = IGNORE_INDEX
    assert loss(logits, labels).item() == pytest.approx(cropped.item(), rel=1e-5)


@pytest.mark.parametrize(("loss", "channels"), [(dice_bce, 1), (dice_ce, 2)])
def test_loss_is_finite_where_all_is_ignored(loss, channels):
    labels = torch.full((1, 4, 4), IGNORE_INDEX)
    assert math.isfinite(loss(torch.randn(1, channels, 4, 4), labels).item())


@pytest.mark.parametrize(("loss", "channels"), [(dice_bce, 1), (dice_ce, 2)])
def test_a_better_prediction_has_a_lower_loss(loss, channels):
    labels = torch.zeros(1, 8, 8, dtype=torch.long)
    labels[:, 2:5, 2:5] = 1
    right = torch.full((1, channels, 8, 8), -4.0)
    right[:, -1][labels == 1] = 4.0
    if channels == 2:
        right[:, 0] = -right[:, 1]
    assert loss(right, labels) < loss(right * 0.1, labels) < loss(-right, labels)
