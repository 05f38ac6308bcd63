"""Losses on logits of images and volumes; unreviewed pixels do not count."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage

from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg.config import LossConfig
    from napari_unet_seg.nn.labels import Head

Total = Callable[[torch.Tensor], torch.Tensor]
"""Sums a tensor over the processes that share a batch."""

_SMOOTH = 1e-5
_FOCUS = 2.0
"""Exponent of the focal loss, as in its paper."""


def _identity(values: torch.Tensor) -> torch.Tensor:
    return values


def soft_dice(
    probabilities: torch.Tensor,
    truth: torch.Tensor,
    weight: torch.Tensor,
    total: Total = _identity,
) -> torch.Tensor:
    """Soft Dice of each class over the whole batch (Milletari et al. 2016, without squares).

    Parameters
    ----------
    probabilities, truth : Tensor
        Shape (B, K, …).
    weight : Tensor
        Shape (B, 1, …), 0 where a pixel does not count, else 1.
    total : callable
        Sums a tensor over the processes that share a batch.

    Returns
    -------
    Tensor
        Shape (K,).
    """
    return _overlap(probabilities, truth, weight, 0.5, 0.5, total)


def _overlap(
    probabilities: torch.Tensor,
    truth: torch.Tensor,
    weight: torch.Tensor,
    wrong: float,
    miss: float,
    total: Total,
) -> torch.Tensor:
    """Tversky index of each class, of shape (K,); it equals Dice if both weights are 0.5."""
    axes = [0, *range(2, truth.ndim)]
    shares = (probabilities * truth * weight, probabilities * weight, truth * weight)
    both, found, true = total(torch.stack([share.sum(axes) for share in shares]))
    area = both + wrong * (found - both) + miss * (true - both)
    index: torch.Tensor = (both + _SMOOTH / 2) / (area + _SMOOTH / 2)
    return index


class _Batch(NamedTuple):
    """A batch as input of the terms of the loss; K includes the background under softmax."""

    logits: torch.Tensor
    """(B, K, …)."""
    labels: torch.Tensor
    """(B, …), `IGNORE_INDEX` for pixels that do not count."""
    truth: torch.Tensor
    """(B, classes, …), 0 or 1."""
    probabilities: torch.Tensor
    """(B, classes, …)."""
    weight: torch.Tensor
    """(B, 1, …), 0 or 1."""
    classes: torch.Tensor
    """Weights of the classes (classes,), with a mean of 1."""
    total: Total

    def over_pixels(self, values: torch.Tensor) -> torch.Tensor:
        """Mean of (B, classes, …) over the pixels that count."""
        classes = self.classes.reshape(1, -1, *[1] * (values.ndim - 2))
        return self.mean((values * self.weight * classes).sum() / values.shape[1])

    def mean(self, summed: torch.Tensor) -> torch.Tensor:
        """Divide a sum by the number of pixels that count."""
        value, count = self.total(torch.stack([summed, self.weight.sum()]))
        mean: torch.Tensor = value / count.clamp_min(1)
        return mean

    def over_classes(self, values: torch.Tensor) -> torch.Tensor:
        """Weighted mean of (classes,)."""
        return (values * self.classes).mean()


class Loss:
    """Sum of soft Dice loss, cross-entropy and the further terms that are switched on.

    Parameters
    ----------
    head : str
        `sigmoid`: binary cross-entropy for each class; `softmax`: cross-entropy with background.
    classes : int
        Foreground classes.
    terms : LossConfig
        Weights of the further terms and of the classes.
    total : callable
        Sums a tensor over the processes that share a batch.

    Raises
    ------
    ConfigError
        If the number of class weights differs from the number of classes.
    """

    def __init__(
        self, head: Head, classes: int, terms: LossConfig, total: Total = _identity
    ) -> None:
        given = terms.class_weights or (1.0,) * classes
        if len(given) != classes or min(given) < 0 or sum(given) <= 0:
            raise ConfigError(
                f"terms.class_weights has {len(given)} values for {classes} categories; give one "
                "for each, none below 0."
            )
        self._softmax = head == "softmax"
        self._terms = terms
        self._total = total
        self._class_weights: Sequence[float] = [w * classes / sum(given) for w in given]

    def __call__(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Compute the loss, a scalar, of logits (B, K, …) and integer labels (B, …)."""
        batch = self._batch(logits.float(), labels.long())
        entropy = _cross_entropy(batch) if self._softmax else _binary_cross_entropy(batch)
        dice = batch.over_classes(
            soft_dice(batch.probabilities, batch.truth, batch.weight, batch.total)
        )
        loss = 1 - dice + entropy
        terms = self._terms
        if terms.focal:
            loss = loss + terms.focal * _focal(batch)
        if terms.tversky:
            loss = loss + terms.tversky * _tversky(batch, terms.tversky_beta)
        if terms.boundary:
            loss = loss + terms.boundary * _boundary(batch)
        return loss

    def _batch(self, logits: torch.Tensor, labels: torch.Tensor) -> _Batch:
        probable = logits.softmax(1)[:, 1:] if self._softmax else logits.sigmoid()
        values = torch.arange(1, probable.shape[1] + 1, device=labels.device)
        truth = (labels[:, None] == values.reshape(1, -1, *[1] * (labels.ndim - 1))).float()
        weight = (labels != IGNORE_INDEX)[:, None].float()
        classes = torch.tensor(self._class_weights, device=logits.device)
        return _Batch(logits, labels, truth, probable, weight, classes, self._total)


def _dice(batch: _Batch) -> torch.Tensor:
    return soft_dice(batch.probabilities, batch.truth, batch.weight, batch.total)


def _binary_cross_entropy(batch: _Batch) -> torch.Tensor:
    bce = F.binary_cross_entropy_with_logits(batch.logits, batch.truth, reduction="none")
    return batch.over_pixels(bce)


def _cross_entropy(batch: _Batch) -> torch.Tensor:
    weights = torch.cat([batch.classes.new_ones(1), batch.classes])
    ce = F.cross_entropy(
        batch.logits, batch.labels, weights, ignore_index=IGNORE_INDEX, reduction="sum"
    )
    return batch.mean(ce)


def _focal(batch: _Batch) -> torch.Tensor:
    """Lin et al. 2017 (arXiv:1708.02002), each class against the rest."""
    probable = batch.probabilities.clamp(1e-6, 1 - 1e-6)
    right = torch.where(batch.truth > 0, probable, 1 - probable)
    return batch.over_pixels(-((1 - right) ** _FOCUS) * right.log())


def _tversky(batch: _Batch, beta: float) -> torch.Tensor:
    """Salehi et al. 2017 (arXiv:1706.05721)."""
    index = _overlap(batch.probabilities, batch.truth, batch.weight, 1 - beta, beta, batch.total)
    return 1 - batch.over_classes(index)


def _boundary(batch: _Batch) -> torch.Tensor:
    """Kervadec et al. 2019 (arXiv:1812.07032); distances as a share of the image's longest side."""
    truth = batch.truth.detach().cpu().numpy() > 0
    signed = np.zeros(truth.shape, np.float32)
    for place in np.ndindex(truth.shape[:2]):
        signed[place] = _signed_distance(truth[place])
    distance = torch.from_numpy(signed / max(truth.shape[2:])).to(batch.logits.device)
    return batch.over_pixels(batch.probabilities * distance)


def _signed_distance(mask: np.ndarray) -> np.ndarray:
    """Distance to the outline in pixels, negative inside; 0 everywhere if there is no outline."""
    if mask.all() or not mask.any():
        return np.zeros(mask.shape)
    outside = ndimage.distance_transform_edt(~mask)
    inside = ndimage.distance_transform_edt(mask)
    return np.asarray(np.where(mask, -(inside - 1), outside))
