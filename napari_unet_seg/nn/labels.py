"""From logits to probabilities to labels."""

from __future__ import annotations

from typing import Literal

import torch

Head = Literal["sigmoid", "softmax"]


def to_probabilities(logits: torch.Tensor, head: Head) -> torch.Tensor:
    """Probabilities of the foreground classes, (B, classes, Y, X), from logits (B, K, Y, X)."""
    return logits.softmax(1)[:, 1:] if head == "softmax" else logits.sigmoid()


def to_labels(probable: torch.Tensor, head: Head, threshold: float = 0.5) -> torch.Tensor:
    """Label values, uint8 of shape (B, Y, X), from probabilities (B, classes, Y, X).

    A pixel takes its most probable class: under sigmoid heads if that reaches the threshold,
    under softmax if it beats the background.
    """
    # max, not argmax: on a processor argmax over channels is tens of times slower
    best, index = probable.max(1)
    if head == "softmax":
        found = best > 1 - probable.sum(1)
    else:
        found = best >= threshold
    return torch.where(found, index.to(torch.uint8) + 1, 0)
