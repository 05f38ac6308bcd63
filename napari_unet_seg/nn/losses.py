"""Dice + cross-entropy on logits, aware of unreviewed pixels."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from napari_unet_seg.config import IGNORE_INDEX

_SMOOTH = 1e-5


def soft_dice(
    probabilities: torch.Tensor, truth: torch.Tensor, weight: torch.Tensor
) -> torch.Tensor:
    """Soft Dice of each class over the whole batch (Milletari et al. 2016, without squares).

    Parameters
    ----------
    probabilities, truth : Tensor
        Shape (B, K, Y, X).
    weight : Tensor
        Shape (B, 1, Y, X), 0 where a pixel does not count.

    Returns
    -------
    Tensor
        Shape (K,).
    """
    axes = (0, 2, 3)
    probabilities, truth = probabilities * weight, truth * weight
    overlap = (probabilities * truth).sum(axes)
    total = probabilities.sum(axes) + truth.sum(axes)
    return (2 * overlap + _SMOOTH) / (total + _SMOOTH)


def dice_bce(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """1 − soft Dice, plus binary cross-entropy with logits; one sigmoid per class.

    Parameters
    ----------
    logits : Tensor
        Shape (B, classes, Y, X).
    labels : Tensor
        Integers of shape (B, Y, X); `IGNORE_INDEX` does not count.
    """
    logits = logits.float()
    weight = (labels != IGNORE_INDEX)[:, None].float()
    values = torch.arange(1, logits.shape[1] + 1, device=labels.device)
    truth = (labels[:, None] == values[None, :, None, None]).float()
    bce = F.binary_cross_entropy_with_logits(logits, truth, reduction="none") * weight
    mean_bce = bce.sum() / (weight.sum() * logits.shape[1]).clamp_min(1)
    return 1 - soft_dice(logits.sigmoid(), truth, weight).mean() + mean_bce


def dice_ce(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """1 − soft Dice of the foreground classes, plus cross-entropy; softmax with background.

    Parameters
    ----------
    logits : Tensor
        Shape (B, 1 + classes, Y, X), background first.
    labels : Tensor
        Integers of shape (B, Y, X); `IGNORE_INDEX` does not count.
    """
    logits = logits.float()
    weight = (labels != IGNORE_INDEX)[:, None].float()
    labels = labels.long()
    ce = F.cross_entropy(logits, labels, ignore_index=IGNORE_INDEX, reduction="sum")
    known = torch.where(labels == IGNORE_INDEX, 0, labels)
    truth = F.one_hot(known, logits.shape[1]).movedim(-1, 1).float()
    dice = soft_dice(logits.softmax(1)[:, 1:], truth[:, 1:], weight)
    return 1 - dice.mean() + ce / weight.sum().clamp_min(1)


LOSSES = {"sigmoid": dice_bce, "softmax": dice_ce}
"""The loss of each head."""
