"""Random numbers for a batch, drawn on the processor so that a seed means the same everywhere."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class Draw:
    """Draws for the samples of one batch.

    Attributes
    ----------
    count : int
        Samples in the batch.
    probability : float
        Chance of each change for each sample.
    generator : torch.Generator
        Source of randomness.
    """

    count: int
    probability: float
    generator: torch.Generator

    def chosen(self) -> torch.Tensor:
        """Which samples are changed, booleans of shape (count,)."""
        return torch.rand(self.count, generator=self.generator) < self.probability

    def uniform(self, low: float, high: float) -> torch.Tensor:
        """Uniform numbers of shape (count,)."""
        return torch.rand(self.count, generator=self.generator) * (high - low) + low

    def symmetric(self, extent: float, *, on: bool = True) -> torch.Tensor:
        """Uniform in −extent…extent for the chosen samples, else 0; shape (count,)."""
        if not on:
            return torch.zeros(self.count)
        return torch.where(self.chosen(), self.uniform(-extent, extent), 0.0)

    def field(self, *shape: int) -> torch.Tensor:
        """Uniform in −1…1 of shape (count, *shape)."""
        return torch.rand(self.count, *shape, generator=self.generator) * 2 - 1

    def normal(self, shape: torch.Size) -> torch.Tensor:
        """Standard normal numbers."""
        return torch.randn(shape, generator=self.generator)


def spread(values: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Bring (B,) to the device and number of axes of (B, C, …), to be multiplied with it."""
    return values.to(like.device).reshape(-1, *[1] * (like.ndim - 1))
