"""One net with its optimiser: a step, a validation step, and a state that can be stored."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import torch

from napari_unet_seg.nn.devices import channels_last, choose_dtype
from napari_unet_seg.nn.labels import probabilities, to_labels
from napari_unet_seg.nn.losses import LOSSES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_unet_seg.config import Precision, TrainConfig
    from napari_unet_seg.nn.unet import UNet

_OPTIMISER = "optimiser."
_WARM_UP = 0.03
_GRADIENT_NORM = 12.0


class Trainer:
    """Train a net step by step.

    Parameters
    ----------
    net : UNet
        To be trained, on the processor.
    config : TrainConfig
        Learning rate, schedule and precision.
    device : torch.device
        Where to compute.
    total_steps : int
        Length of the schedule.
    """

    def __init__(
        self, net: UNet, config: TrainConfig, device: torch.device, total_steps: int
    ) -> None:
        self.net = channels_last(net, device)
        self.device = device
        self.head = net.config.head
        self.loss = LOSSES[self.head]
        self.optimiser = torch.optim.Adam(net.parameters(), lr=config.learning_rate)
        self._peak = config.learning_rate
        self._cosine = config.schedule == "cosine"
        self._total_steps = total_steps
        self.dtype = self._choose_dtype(config.precision)

    def _choose_dtype(self, precision: Precision) -> torch.dtype:
        size = 8 * 2**self.net.config.depth
        trial = torch.zeros(1, self.net.config.in_channels, size, size, device=self.device)
        self.net.eval()
        return choose_dtype(precision, self.device, functools.partial(self._trial, trial))

    @torch.no_grad()
    def _trial(self, images: torch.Tensor, dtype: torch.dtype) -> None:
        self._forward(images, dtype)

    def _forward(self, images: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        images = images.to(self.device, memory_format=torch.channels_last)
        with torch.autocast(self.device.type, dtype, enabled=dtype != torch.float32):
            logits: torch.Tensor = self.net(images)
        return logits.float()

    def learning_rate(self, step: int) -> float:
        """Rate of the given step, counted from 0 over the whole run."""
        if not self._cosine:
            return self._peak
        warm_up = max(1, round(_WARM_UP * self._total_steps))
        if step < warm_up:
            return self._peak * (step + 1) / warm_up
        done = (step - warm_up) / max(1, self._total_steps - warm_up)
        return self._peak * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))

    def step(self, images: torch.Tensor, masks: torch.Tensor, number: int) -> float:
        """Take one optimiser step and return its loss, which may be NaN.

        A loss that is not finite leaves the weights as they are.
        """
        self.net.train()
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate(number)
        loss = self.loss(self._forward(images, self.dtype), masks.to(self.device))
        value = float(loss.detach())
        if math.isfinite(value):
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]  # torch has no types here
            torch.nn.utils.clip_grad_norm_(self.net.parameters(), _GRADIENT_NORM)
            self.optimiser.step()
        return value

    @torch.no_grad()
    def validate(self, images: torch.Tensor, masks: torch.Tensor) -> tuple[float, torch.Tensor]:
        """Loss of a batch, and its labels (uint8, on the processor)."""
        self.net.eval()
        logits = self._forward(images, self.dtype)
        loss = float(self.loss(logits, masks.to(self.device)))
        return loss, to_labels(probabilities(logits, self.head), self.head).cpu()

    def state(self) -> dict[str, torch.Tensor]:
        """Tensors of the optimiser, for a checkpoint that training can be resumed from."""
        state = self.optimiser.state_dict()["state"]
        return {
            f"{_OPTIMISER}{number}.{name}": torch.as_tensor(value)
            for number, values in state.items()
            for name, value in values.items()
        }

    def load_state(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Take the optimiser's tensors back out of a checkpoint's."""
        state: dict[int, dict[str, torch.Tensor]] = {}
        for key, value in tensors.items():
            if key.startswith(_OPTIMISER):
                number, name = key.removeprefix(_OPTIMISER).split(".")
                state.setdefault(int(number), {})[name] = value
        whole = self.optimiser.state_dict()
        self.optimiser.load_state_dict({**whole, "state": state})
