"""Losses against values worked out by hand or by another formula."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from napari_unet_seg.config import IGNORE_INDEX, LossConfig
from napari_unet_seg.errors import ConfigError
from napari_unet_seg.training.losses import Loss, soft_dice

SURE = 30.0


def sure(labels: torch.Tensor, head: str, classes: int) -> torch.Tensor:
    """Logits that leave no doubt about the labels."""
    one_hot = F.one_hot(labels, classes + 1).movedim(-1, 1).float() * 2 * SURE - SURE
    return one_hot if head == "softmax" else one_hot[:, 1:]


def random_labels(classes: int, *shape: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, classes + 1, shape))


TERMS = [{}, {"focal": 1.0}, {"tversky": 1.0}, {"class_weights": (1.0, 3.0)}]


@pytest.mark.parametrize("head", ["sigmoid", "softmax"])
@pytest.mark.parametrize("terms", TERMS, ids=str)
@pytest.mark.parametrize("shape", [(2, 8, 9), (2, 4, 5, 6)])
def test_a_perfect_prediction_costs_nothing_and_a_wrong_one_much(head, terms, shape):
    labels = random_labels(2, *shape)
    loss = Loss(head, 2, LossConfig(**terms))
    assert float(loss(sure(labels, head, 2), labels)) == pytest.approx(0, abs=1e-4)
    assert float(loss(sure((labels + 1) % 3, head, 2), labels)) > 10


@pytest.mark.parametrize("head", ["sigmoid", "softmax"])
@pytest.mark.parametrize(
    "terms", [*TERMS, {"boundary": 1.0}], ids=lambda terms: next(iter(terms), "plain")
)
def test_unreviewed_pixels_do_not_count(head, terms):
    torch.manual_seed(0)
    labels = random_labels(2, 2, 8, 8)
    labels[:, :3] = IGNORE_INDEX
    loss = Loss(head, 2, LossConfig(**terms))
    logits = torch.randn(2, 3 if head == "softmax" else 2, 8, 8)
    other = logits.clone()
    other[:, :, :3] = torch.randn(2, other.shape[1], 3, 8)
    assert torch.equal(loss(logits, labels), loss(other, labels))


@pytest.mark.parametrize("head", ["sigmoid", "softmax"])
def test_nothing_reviewed_gives_no_gradient(head):
    logits = torch.randn(1, 3 if head == "softmax" else 2, 4, 4, requires_grad=True)
    terms = LossConfig(focal=1, tversky=1, boundary=1)
    Loss(head, 2, terms)(logits, torch.full((1, 4, 4), IGNORE_INDEX)).backward()
    assert logits.grad is not None
    assert logits.grad.abs().sum() == 0


def test_dice_and_bce_by_hand():
    """Logits of 0 are probabilities of one half; two of four pixels are labelled."""
    labels = torch.tensor([[[1, 1], [0, 0]]])
    value = float(Loss("sigmoid", 1, LossConfig())(torch.zeros(1, 1, 2, 2), labels))
    assert value == pytest.approx(1 - 2 * 1.0 / (2 + 2) + math.log(2), abs=1e-5)


def test_dice_and_ce_by_hand():
    labels = torch.tensor([[[1, 2], [0, 0]]])
    value = float(Loss("softmax", 2, LossConfig())(torch.zeros(1, 3, 2, 2), labels))
    dice = 2 * (1 / 3) / (4 / 3 + 1)
    assert value == pytest.approx(1 - dice + math.log(3), abs=1e-5)


def term(name: str, labels: torch.Tensor, logits: torch.Tensor, **more: float) -> float:
    """What a term adds to the loss."""
    with_term = Loss("sigmoid", 1, LossConfig(**{name: 1.0, **more}))
    return float(with_term(logits, labels) - Loss("sigmoid", 1, LossConfig())(logits, labels))


def test_focal_by_hand():
    labels, logits = torch.tensor([[[1, 0]]]), torch.tensor([[[[math.log(3), 0.0]]]])
    expected = -((0.25**2) * math.log(0.75) + (0.5**2) * math.log(0.5)) / 2
    assert term("focal", labels, logits) == pytest.approx(expected, abs=1e-5)


def test_tversky_by_hand():
    labels, logits = torch.tensor([[[1, 1, 0]]]), torch.tensor([[[[SURE, -SURE, SURE]]]])
    assert term("tversky", labels, logits, tversky_beta=0.8) == pytest.approx(
        1 - 1 / (1 + 0.2 + 0.8), abs=1e-4
    )


def test_boundary_by_hand():
    """One labelled pixel of five; a sure pixel costs its distance, a fifth for each step."""
    labels = torch.tensor([[[0, 1, 0, 0, 0]]])
    logits = torch.full((1, 1, 1, 5), -SURE)
    logits[..., 4] = SURE
    assert term("boundary", labels, logits) == pytest.approx(3 / 5 / 5, abs=1e-4)


def test_weights_of_classes_shift_the_loss():
    labels = torch.tensor([[[1, 2]]])
    logits = sure(torch.tensor([[[1, 0]]]), "softmax", 2)  # the second class is missed
    even, second = (
        float(Loss("softmax", 2, LossConfig(class_weights=w))(logits, labels))
        for w in [(1.0, 1.0), (1.0, 3.0)]
    )
    assert second == pytest.approx(1.5 * even, rel=1e-3)


@pytest.mark.parametrize("weights", [(1.0,), (1.0, 2.0, 3.0), (-1.0, 2.0), (0.0, 0.0)])
def test_weights_that_do_not_fit_the_classes_are_refused(weights):
    with pytest.raises(ConfigError, match="class_weights has"):
        Loss("softmax", 2, LossConfig(class_weights=weights))


def test_soft_dice_takes_the_batch_as_one():
    probable = torch.tensor([[[[1.0]]], [[[0.0]]]])
    truth = torch.tensor([[[[1.0]]], [[[1.0]]]])
    dice = soft_dice(probable, truth, torch.ones(2, 1, 1, 1))
    assert float(dice) == pytest.approx(2 / 3, abs=1e-5)


def test_the_dice_of_each_sample_counts_small_objects_as_much():
    labels = torch.zeros(2, 16, 16, dtype=torch.long)
    labels[0, :12, :12] = labels[1, :2, :2] = 1
    found = sure(labels, "sigmoid", 1)
    found[1] = -SURE  # the small object is missed
    whole, each = (
        Loss("sigmoid", 1, LossConfig(), each=each)(found, labels) for each in (False, True)
    )
    entropy = SURE * 4 / (2 * 16 * 16)
    assert float(whole) == pytest.approx(1 - 2 * 144 / (144 + 148) + entropy, abs=1e-3)
    assert float(each) == pytest.approx(1 - 1 / 2 + entropy, abs=1e-3)
