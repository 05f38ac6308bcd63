"""One net with its optimiser: a step, a validation step, and a state that can be stored."""

from __future__ import annotations

import contextlib
import functools
import math
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from napari_unet_seg.nn.devices import channels_last, choose_dtype
from napari_unet_seg.nn.labels import probabilities
from napari_unet_seg.nn.sizes import fit, trimmed
from napari_unet_seg.training.average import WeightAverage
from napari_unet_seg.training.losses import Loss

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np

    from napari_unet_seg.config import Precision, TrainConfig
    from napari_unet_seg.nn.build import Net
    from napari_unet_seg.training.distributed import Team

_OPTIMISER = "optimiser."
_AVERAGE = "average."


class Trainer:
    """Train a net step by step.

    Parameters
    ----------
    net : UNet or VNet
        To be trained, on the processor.
    config : TrainConfig
        Learning rate, schedule, loss and precision.
    team : Team
        Where to compute, and the processes that share each batch.
    total_steps : int
        Length of the schedule.
    """

    def __init__(
        self,
        net: Net,
        config: TrainConfig,
        team: Team,
        total_steps: int,
    ) -> None:
        self._team = team
        self.device = team.device
        self.net = channels_last(net, self.device)
        self.head = net.config.head
        classes = net.config.classes
        each = net.config.prompts
        self.loss = Loss(self.head, classes, config.terms, each=each)
        self._shared_loss = Loss(self.head, classes, config.terms, self._team.total, each=each)
        self._config = config
        self._total_steps = total_steps
        self._still: list[nn.Module] = [*net.contracting()[: config.freeze]]
        for part in self._still:
            part.requires_grad_(False)
        if config.keep_statistics:
            self._still += [m for m in net.modules() if isinstance(m, _BatchNorm)]
        learning = [p for p in net.parameters() if p.requires_grad]
        self.optimiser = torch.optim.Adam(learning, lr=config.learning_rate)
        self._average = WeightAverage(net, config.ema) if config.ema else None
        # A timing may come out otherwise the next time, which deterministic runs cannot have.
        untimed = config.precision == "auto" and config.deterministic
        precision: Precision = "float32" if untimed else config.precision
        self.dtype = self._team.gather(self._choose_dtype(precision))[0]
        self._joined = self._team.join(net)

    def _choose_dtype(self, precision: Precision) -> torch.dtype:
        model = self.net.config
        size = [8 * 2**model.depth] * 2 if model.dimensions == 2 else [2 * 2**model.depth] * 3
        trial = torch.zeros(1, model.channels, *size, device=self.device)
        self.net.eval()
        return choose_dtype(precision, self.device, functools.partial(self._trial, trial))

    @torch.no_grad()
    def _trial(self, images: torch.Tensor, dtype: torch.dtype) -> None:
        self._forward(images, dtype)

    def _forward(self, images: torch.Tensor, dtype: torch.dtype) -> list[torch.Tensor]:
        """Logits of the images' own size, the finest level first."""
        ready = fit(self.net.config, channels_last(images, self.device))
        net = self._joined if self.net.training else self.net
        with torch.autocast(self.device.type, dtype, enabled=dtype != torch.float32):
            levels = net.supervised(ready)
        return [trimmed(logits.float(), images.shape[2:]) for logits in levels]

    def learning_rate(self, step: int) -> float:
        """Rate of the given step, counted from 0 over the whole run."""
        peak = self._config.learning_rate
        if self._config.schedule == "constant":
            return peak
        warm_up = max(1, round(self._config.warm_up * self._total_steps))
        if step < warm_up:
            return peak * (step + 1) / warm_up
        done = (step - warm_up) / max(1, self._total_steps - warm_up)
        return peak * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))

    def step(self, images: torch.Tensor, masks: torch.Tensor, number: int) -> float:
        """Take one optimiser step and return its loss, which may be NaN.

        A loss that is not finite leaves the weights as they are.
        """
        self.net.train()
        for part in self._still:
            part.eval()  # their batch statistics stay as they were
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate(number)
        loss = self._supervised_loss(self._forward(images, self.dtype), masks.to(self.device))
        value = float(loss.detach())
        if math.isfinite(value):
            self.optimiser.zero_grad(set_to_none=True)
            self._team.backward(loss)
            if self._config.clip:
                torch.nn.utils.clip_grad_norm_(self.net.parameters(), self._config.clip)
            self.optimiser.step()
            if self._average is not None:
                self._average.update()
        return value

    def _supervised_loss(self, levels: list[torch.Tensor], masks: torch.Tensor) -> torch.Tensor:
        """The loss of all levels, each coarser one counting half as much as the one before."""
        weights = [0.5**n for n in range(len(levels))]
        losses = [
            w * self._shared_loss(logits, masks) for w, logits in zip(weights, levels, strict=True)
        ]
        return torch.stack(losses).sum() / sum(weights)

    @torch.no_grad()
    def validate(self, images: torch.Tensor, masks: torch.Tensor) -> tuple[float, torch.Tensor]:
        """Loss of a batch, and its probabilities (B, classes, …)."""
        self.net.eval()
        logits = self._forward(images, self.dtype)[0]
        loss = float(self.loss(logits, masks.to(self.device)))
        return loss, probabilities(logits, self.head)

    @torch.no_grad()
    def answers(self, inputs: torch.Tensor) -> np.ndarray:
        """Masks (B, …), bool, that the net of a prompt finds at the moment."""
        self.net.eval()
        found: np.ndarray = (self._forward(inputs, self.dtype)[0][:, 0] > 0).cpu().numpy()
        return found

    @contextlib.contextmanager
    def averaged(self) -> Iterator[None]:
        """The net with its averaged weights, where an average is kept."""
        if self._average is None:
            yield
            return
        self._average.swap()
        try:
            yield
        finally:
            self._average.swap()

    def state(self) -> dict[str, torch.Tensor]:
        """Tensors of optimiser and average, for a checkpoint that training can be resumed from."""
        state = self.optimiser.state_dict()["state"]
        tensors = {
            f"{_OPTIMISER}{number}.{name}": torch.as_tensor(value)
            for number, values in state.items()
            for name, value in values.items()
        }
        average = self._average.state() if self._average is not None else {}
        return tensors | {_AVERAGE + name: value for name, value in average.items()}

    def load_state(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Take what `state` gave back out of a checkpoint's tensors."""
        state: dict[int, dict[str, torch.Tensor]] = {}
        for key, value in tensors.items():
            if key.startswith(_OPTIMISER):
                number, name = key.removeprefix(_OPTIMISER).split(".")
                state.setdefault(int(number), {})[name] = value
        whole = self.optimiser.state_dict()
        self.optimiser.load_state_dict({**whole, "state": state})
        if self._average is not None:
            self._average.load_state(
                {k.removeprefix(_AVERAGE): v for k, v in tensors.items() if k.startswith(_AVERAGE)}
            )
