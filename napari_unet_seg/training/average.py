"""Exponential moving average of a network's weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn


class WeightAverage:
    """Average of the weights over the steps (Polyak and Juditsky 1992), the recent ones foremost.

    The statistics of batch norms are averages already and are copied.

    Parameters
    ----------
    net : nn.Module
        Whose weights are followed.
    decay : float
        Share of the average that stays at each step; less at the start of a run, so that the
        average is not held back by the first, random weights.
    """

    def __init__(self, net: nn.Module, decay: float) -> None:
        self._net = net
        self._decay = decay
        self._steps = 0
        self._learned = [name for name, _ in net.named_parameters()]
        self._average = {k: v.detach().clone() for k, v in net.state_dict().items()}

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights after a step."""
        self._steps += 1
        decay = min(self._decay, (1 + self._steps) / (10 + self._steps))
        now = self._net.state_dict()
        kept = [self._average[name] for name in self._learned]
        torch._foreach_lerp_(kept, [now[name] for name in self._learned], 1 - decay)
        for name in now.keys() - set(self._learned):
            self._average[name].copy_(now[name])

    def swap(self) -> None:
        """Exchange the net's weights and the average; a second time brings them back."""
        own = {k: v.detach().clone() for k, v in self._net.state_dict().items()}
        self._net.load_state_dict(self._average)
        self._average = own

    def state(self) -> dict[str, torch.Tensor]:
        """Tensors that `load_state` takes."""
        return {**self._average, "steps": torch.tensor(self._steps)}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Go on from an earlier state."""
        self._steps = int(state["steps"])
        for name, value in self._average.items():
            value.copy_(state[name])
