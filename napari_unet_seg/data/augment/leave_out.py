"""Sequences left out of training samples, so that a network bears scans that lack some."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def leave_out(
    images: torch.Tensor, before: torch.Tensor, probability: float, generator: torch.Generator
) -> torch.Tensor:
    """Set sequences to 0, as prediction sets those that a scan lacks.

    Havaei et al. 2016, "HeMIS: hetero-modal image segmentation", arXiv:1607.05194, train with
    sequences left out.

    Parameters
    ----------
    images : Tensor
        Floats in 0…1 of shape (B, C, …), each channel a sequence.
    before : Tensor
        The images without their random changes. A sequence that is 0 there is missing, and stays
        so.
    probability : float
        Of each sequence of each sample to be left out; one that is not missing always stays.
    generator : torch.Generator
        Source of randomness, on the CPU.

    Returns
    -------
    Tensor
        Of the same shape and dtype.
    """
    given = before.flatten(2).amax(2).cpu() > 0
    shape = given.shape
    kept = given & (torch.rand(shape, generator=generator) >= probability)
    ranks = torch.where(given, torch.rand(shape, generator=generator), -1.0)
    last = F.one_hot(ranks.argmax(1), shape[1]).bool()
    kept = torch.where(kept.any(1, keepdim=True), kept, last)
    return images * kept.to(images).reshape(*shape, *[1] * (images.ndim - 2))
