"""Conversion of logits to probabilities, and of probabilities to labels."""

from __future__ import annotations

from typing import Literal

import torch

Head = Literal["sigmoid", "softmax"]


def to_probabilities(logits: torch.Tensor, head: Head) -> torch.Tensor:
    """Convert logits (B, K, …) to the probabilities of the foreground classes (B, classes, …)."""
    return logits.softmax(1)[:, 1:] if head == "softmax" else logits.sigmoid()


def to_labels(probabilities: torch.Tensor, head: Head, threshold: float = 0.5) -> torch.Tensor:
    """Convert probabilities (B, classes, …) to label values, uint8 of shape (B, …).

    A pixel takes its most probable class: under sigmoid heads if that reaches the threshold,
    under softmax if it beats the background.
    """
    # max instead of argmax: on a CPU argmax over channels is tens of times slower
    best, index = probabilities.max(1)
    if head == "softmax":
        found = best > 1 - probabilities.sum(1)
    else:
        found = best >= threshold
    return torch.where(found, index.to(torch.uint8) + 1, 0)
