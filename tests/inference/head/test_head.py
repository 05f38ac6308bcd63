"""A head on features that are drawn at random: what it learns, and when it is refused."""

from __future__ import annotations

import pytest
import torch

from napari_unet_seg.inference.head.check import compare
from napari_unet_seg.inference.head.fitting import Example, Head, fit_head, network_head

SIZE = (24, 24)
GROUPS = ["one"] * 6


def discs(count: int, sign: float, noise: float = 0.0, classes: int = 1) -> list[Example]:
    """Discs that the network's logits show in a sign, beside two features that are noise."""
    random = torch.Generator().manual_seed(0)
    y, x = torch.meshgrid(*map(torch.arange, SIZE), indexing="ij")
    examples = []
    for number in range(count):
        disc = (y - 8 - number) ** 2 + (x - 12) ** 2 < 25
        truth = torch.stack([disc & (x % classes == k) for k in range(classes)])
        logits = sign * torch.where(truth, 4.0, -4.0)
        logits = logits + noise * torch.randn(truth.shape, generator=random)
        rest = torch.randn((2, *SIZE), generator=random)
        known = torch.ones(SIZE, dtype=torch.bool)
        examples.append(Example(torch.cat([logits, rest]).half(), truth, known))
    return examples


def dice(head: Head, examples: list[Example]) -> float:
    found = torch.stack([head.logits(each.features) > 0 for each in examples])
    truth = torch.stack([each.truth for each in examples])
    return float(2 * (found & truth).sum() / (found.sum() + truth.sum()))


@pytest.mark.parametrize("classes", [1, 2])
def test_it_beats_a_network_that_takes_bright_for_dark(classes: int) -> None:
    examples = discs(6, sign=-1, classes=classes)
    compared = compare(examples, GROUPS)
    assert compared.network < 0.3
    assert compared.head > 0.95
    assert compared.is_better
    assert dice(fit_head(examples), discs(9, sign=-1, classes=classes)[6:]) > 0.95


def test_it_is_refused_where_the_network_is_right() -> None:
    compared = compare(discs(6, sign=1), GROUPS)
    assert compared.network == 1
    assert not compared.is_better


def test_a_patient_is_held_out_as_a_whole() -> None:
    """What one patient's slices teach does not help where each patient is another."""
    examples = []
    for number, each in enumerate(discs(10, sign=0)):
        mark = torch.zeros(5, *SIZE)
        mark[number // 2] = torch.where(each.truth[0], 1.0, -1.0)
        examples.append(each._replace(features=torch.cat([each.features, mark.half()])))
    apart = compare(examples, [str(number // 2) for number in range(10)])
    mixed = compare(examples, [str(number % 2) for number in range(10)])
    assert apart.head < 0.5
    assert mixed.head == apart.head, "neighbours of a volume are held out together too"
    assert dice(fit_head(examples), examples) > 0.95


def test_pixels_that_were_not_reviewed_count_for_nothing() -> None:
    given, spoilt = discs(6, sign=-1), []
    for each in given:
        known = each.known.clone()
        known[:, :8] = False
        truth = each.truth.clone()
        truth[:, :, :8] = True
        spoilt.append(each._replace(truth=truth, known=known))
    assert compare(spoilt, GROUPS).head > 0.95
    assert dice(fit_head(spoilt), given) > 0.95


def test_a_class_that_is_not_shown_stays_as_the_network_has_it() -> None:
    examples = [
        each._replace(truth=torch.cat([each.truth, each.truth & False]))
        for each in discs(5, sign=-1)
    ]
    head, before = fit_head(examples), network_head(examples)
    torch.testing.assert_close(head.weight[1], before.weight[1])
    assert head.bias[1] == 0
    assert not torch.equal(head.weight[0], before.weight[0])


def test_nothing_is_compared_where_nothing_is_shown() -> None:
    empty = [each._replace(truth=each.truth & False) for each in discs(5, sign=1)]
    compared = compare(empty, GROUPS[:5])
    assert compared.head != compared.head
    assert not compared.is_better
