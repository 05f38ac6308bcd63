"""Random numbers for a batch, drawn on the CPU so that a seed has the same result everywhere."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class Draw:
    """Random numbers for the samples of one batch.

    Attributes
    ----------
    count : int
        Number of samples in the batch.
    probability : float
        Probability of each change, for each sample.
    generator : torch.Generator
        Source of randomness.
    """

    count: int
    probability: float
    generator: torch.Generator

    def chosen(self) -> torch.Tensor:
        """Draw whether each sample is changed, booleans of shape (count,)."""
        return torch.rand(self.count, generator=self.generator) < self.probability

    def uniform(self, low: float, high: float) -> torch.Tensor:
        """Draw uniform numbers of shape (count,)."""
        return torch.rand(self.count, generator=self.generator) * (high - low) + low

    def symmetric(self, extent: float, *, on: bool = True) -> torch.Tensor:
        """Draw uniform numbers in −extent…extent for chosen samples, else 0; shape (count,)."""
        if not on:
            return torch.zeros(self.count)
        return torch.where(self.chosen(), self.uniform(-extent, extent), 0.0)

    def field(self, *shape: int) -> torch.Tensor:
        """Draw uniform numbers in −1…1 of shape (count, *shape)."""
        return torch.rand(self.count, *shape, generator=self.generator) * 2 - 1

    def normal(self, shape: torch.Size) -> torch.Tensor:
        """Draw standard normal numbers of a shape."""
        return torch.randn(shape, generator=self.generator)


def expand(values: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Reshape values (B,) so that they broadcast with a tensor (B, C, …), on its device."""
    return values.to(like.device).reshape(-1, *[1] * (like.ndim - 1))
