"""Logistic regression on the features of a frozen network, which stays near to the network.

The weights start as the network itself and are drawn back to it, so that little is learnt from
little; the threshold is the one of the highest Dice on the slices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from collections.abc import Sequence

_DRAWN = 400
"""Pixels of a class that are drawn of a slice, and at least half as many of the background."""
_PULL = 1e-3
"""Strength of the pull to the network, per squared weight."""
_LEAST_PULL = 1e-9
"""Of the bias, which may go anywhere."""
_STEPS, _HALVINGS, _ENOUGH = 30, 12, 1e-8
"""Most steps of Newton's method, most halvings of each, and the gain below which it ends."""
_SEED = 0


class Example(NamedTuple):
    """A corrected slice at the size of training."""

    features: torch.Tensor
    """float16 of shape (D, y, x)."""
    truth: torch.Tensor
    """Masks of the foreground classes, bool of shape (K, y, x)."""
    known: torch.Tensor
    """Pixels that were reviewed, bool of shape (y, x)."""


class Head(NamedTuple):
    """A linear map from the features of a pixel to the logits of the foreground classes."""

    weight: torch.Tensor
    """float32 of shape (K, D)."""
    bias: torch.Tensor
    """float32 of shape (K,)."""

    def logits(self, features: torch.Tensor) -> torch.Tensor:
        """Map (…, D, y, x) to (…, K, y, x)."""
        found = torch.einsum("kd,...dyx->...kyx", self.weight, features.float())
        return found + self.bias[:, None, None]


def network_head(examples: Sequence[Example]) -> Head:
    """Return the head that changes nothing."""
    (classes, *_), (depth, *_) = examples[0].truth.shape, examples[0].features.shape
    return Head(torch.eye(classes, depth), torch.zeros(classes))


def fit_head(examples: Sequence[Example]) -> Head:
    """Fit a head to slices; a class that none of them shows stays as the network has it."""
    before = network_head(examples)
    pixels, truth = _drawn(examples)
    classes = len(before.weight)
    mean, spread = pixels.mean(0), pixels.std(0).clamp_min(1e-3)
    mean[:classes], spread[:classes] = 0, 1  # the pull is to the logits as they are
    weight, bias = _regression((pixels - mean) / spread, truth, before.weight)
    head = Head(weight / spread, bias - (weight * (mean / spread)).sum(1))
    return _with_best_thresholds(head, before, examples)


def _drawn(examples: Sequence[Example]) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw pixels of all slices, float32 (N, D), with their classes, float32 (N, K)."""
    random = torch.Generator().manual_seed(_SEED)
    pixels, truth = [], []
    for features, masks, known in examples:
        places = [mask & known for mask in masks]
        counts = [min(_DRAWN, int(place.sum())) for place in places]
        rest = max(*counts, _DRAWN // 2)
        for place, count in zip([*places, ~masks.any(0) & known], [*counts, rest], strict=True):
            at = place.flatten().nonzero()[:, 0]
            at = at[torch.randperm(len(at), generator=random)[:count]]
            pixels.append(features.flatten(1)[:, at].T.float())
            truth.append(masks.flatten(1)[:, at].T.float())
    return torch.cat(pixels), torch.cat(truth)


def _regression(
    pixels: torch.Tensor, truth: torch.Tensor, start: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return weights (K, D) and biases (K,) of balanced logistic regressions.

    By Newton's method: the solvers of torch import its compiler first, which takes seconds.
    """
    x = torch.cat([pixels, torch.ones(len(pixels), 1)], 1).double()
    begin = torch.cat([start, torch.zeros(len(start), 1)], 1).double()
    found = torch.stack(
        [_newton(x, y, own) for y, own in zip(truth.T.double(), begin, strict=True)]
    )
    return found[:, :-1].float(), found[:, -1].float()


def _newton(x: torch.Tensor, y: torch.Tensor, start: torch.Tensor) -> torch.Tensor:
    """Return the weights (D,) of the least loss, the last of which, the bias, is not pulled."""
    balance = 0.5 * (y / y.sum().clamp_min(1) + (1 - y) / (1 - y).sum().clamp_min(1))
    pull = torch.full_like(start, _PULL)
    pull[-1] = _LEAST_PULL

    def loss(weight: torch.Tensor) -> torch.Tensor:
        each = F.binary_cross_entropy_with_logits(x @ weight, y, reduction="none")
        return (each * balance).sum() + (pull * (weight - start) ** 2).sum()

    weight, least = start, loss(start)
    for _ in range(_STEPS):
        p = (x @ weight).sigmoid()
        slope = x.T @ (balance * (p - y)) + 2 * pull * (weight - start)
        curve = (x.T * (balance * p * (1 - p))) @ x + torch.diag(2 * pull)
        step = torch.linalg.solve(curve, slope)
        tried = (weight - step / 2**n for n in range(_HALVINGS))
        better = next(((w, now) for w in tried if (now := loss(w)) < least), None)
        if better is None or least - better[1] < _ENOUGH:
            return weight if better is None else better[0]
        weight, least = better
    return weight


def _with_best_thresholds(head: Head, before: Head, examples: Sequence[Example]) -> Head:
    """Return a head whose logits are positive where the Dice on the slices is highest."""
    weight, bias = head.weight.clone(), head.bias.clone()
    logits = torch.cat([head.logits(each.features)[:, each.known] for each in examples], 1)
    truth = torch.cat([each.truth[:, each.known] for each in examples], 1)
    for number in range(len(weight)):
        if truth[number].any():
            bias[number] -= _best_threshold(logits[number], truth[number])
        else:
            weight[number], bias[number] = before.weight[number], before.bias[number]
    return Head(weight, bias)


def _best_threshold(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    order = logits.argsort(descending=True)
    hits = truth[order].cumsum(0)
    sizes = torch.arange(1, len(order) + 1)
    last = int((2 * hits / (sizes + truth.sum())).argmax())
    after = order[min(last + 1, len(order) - 1)]
    return (logits[order[last]] + logits[after]) / 2
