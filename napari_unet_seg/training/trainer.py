"""A net with its optimiser: training step, validation step, and state for a checkpoint."""

from __future__ import annotations

import contextlib
import functools
import math
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from napari_unet_seg.nn.devices import channels_last, choose_dtype
from napari_unet_seg.nn.labels import to_probabilities
from napari_unet_seg.nn.sizes import fit, trimmed
from napari_unet_seg.training.losses import Loss

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np

    from napari_unet_seg.config import Precision, TrainConfig
    from napari_unet_seg.nn.build import Net
    from napari_unet_seg.training.distributed import ProcessGroup

_OPTIMISER = "optimiser."
_AVERAGE = "average."
_STEPS = "steps"


class Trainer:
    """Trainer of a net, step by step.

    Parameters
    ----------
    net : UNet or VNet
        The net to train, on the CPU.
    config : TrainConfig
        Learning rate, schedule, loss and precision.
    processes : ProcessGroup
        The device, and the processes that share each batch.
    total_steps : int
        Number of steps of the learning rate schedule.
    """

    def __init__(
        self,
        net: Net,
        config: TrainConfig,
        processes: ProcessGroup,
        total_steps: int,
    ) -> None:
        self._processes = processes
        self.device = processes.device
        self.net = channels_last(net, self.device)
        self.head = net.config.head
        classes = net.config.classes
        each = net.config.prompts
        self.loss = Loss(self.head, classes, config.terms, each=each)
        self._shared_loss = Loss(
            self.head, classes, config.terms, self._processes.all_reduce, each=each
        )
        self._config = config
        self._total_steps = total_steps
        self._frozen: list[nn.Module] = [*net.contracting()[: config.freeze]]
        for part in self._frozen:
            part.requires_grad_(False)
        if config.keep_statistics:
            self.keep_statistics()
        learning = [p for p in net.parameters() if p.requires_grad]
        self.optimiser = torch.optim.Adam(learning, lr=config.learning_rate)
        self._average = average_of(net, config.ema) if config.ema else None
        # Measured times vary, so that a deterministic run cannot choose its precision by them.
        untimed = config.precision == "auto" and config.deterministic
        precision: Precision = "float32" if untimed else config.precision
        self.dtype = self._processes.all_gather(self._choose_dtype(precision))[0]
        self._wrapped = self._processes.wrap(net)

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
        padded = fit(self.net.config, channels_last(images, self.device))
        net = self._wrapped if self.net.training else self.net
        with torch.autocast(self.device.type, dtype, enabled=dtype != torch.float32):
            levels = net.supervised(padded)
        return [trimmed(logits.float(), images.shape[2:]) for logits in levels]

    def keep_statistics(self) -> None:
        """Normalise with the statistics of batch norms as they are now, and change them no more."""
        self._frozen += [m for m in self.net.modules() if isinstance(m, _BatchNorm)]

    def learning_rate(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0 over the whole run."""
        peak = self._config.learning_rate
        if self._config.schedule == "constant":
            return peak
        warm_up = max(1, round(self._config.warm_up * self._total_steps))
        if step < warm_up:
            return peak * (step + 1) / warm_up
        done = (step - warm_up) / max(1, self._total_steps - warm_up)
        return peak * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))

    def step(self, images: torch.Tensor, masks: torch.Tensor, number: int) -> float:
        """Take one optimiser step and return its loss.

        Parameters
        ----------
        images : Tensor
            Floats in 0…1 of shape (B, C, …).
        masks : Tensor
            uint8 labels of shape (B, …).
        number : int
            Number of the step, from 0 over the whole run.

        Returns
        -------
        float
            The loss; if it is not finite, the weights have not changed.
        """
        self.net.train()
        for part in self._frozen:
            part.eval()  # frozen parts keep their batch statistics
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate(number)
        loss = self._supervised_loss(self._forward(images, self.dtype), masks.to(self.device))
        value = float(loss.detach())
        if math.isfinite(value):
            self.optimiser.zero_grad(set_to_none=True)
            self._processes.backward(loss)
            if self._config.clip:
                torch.nn.utils.clip_grad_norm_(self.net.parameters(), self._config.clip)
            self.optimiser.step()
            if self._average is not None:
                self._average.update_parameters(self.net)
        return value

    def _supervised_loss(self, levels: list[torch.Tensor], masks: torch.Tensor) -> torch.Tensor:
        """Weighted mean loss of all levels; each weighs half as much as the next finer level."""
        weights = [0.5**n for n in range(len(levels))]
        losses = [
            w * self._shared_loss(logits, masks) for w, logits in zip(weights, levels, strict=True)
        ]
        return torch.stack(losses).sum() / sum(weights)

    @torch.no_grad()
    def validate(self, images: torch.Tensor, masks: torch.Tensor) -> tuple[float, torch.Tensor]:
        """Return the loss of a batch, and its probabilities of shape (B, classes, …)."""
        self.net.eval()
        logits = self._forward(images, self.dtype)[0]
        loss = float(self.loss(logits, masks.to(self.device)))
        return loss, to_probabilities(logits, self.head)

    @torch.no_grad()
    def answers(self, inputs: torch.Tensor) -> np.ndarray:
        """Masks (B, …), bool, that the net of a prompt finds at the moment."""
        self.net.eval()
        found: np.ndarray = (self._forward(inputs, self.dtype)[0][:, 0] > 0).cpu().numpy()
        return found

    @contextlib.contextmanager
    def averaged(self) -> Iterator[Net]:
        """Take, and give, the net with the averaged weights, where an average is kept."""
        own = self.net
        if self._average is not None:
            self.net = cast("Net", self._average.module)
        try:
            yield self.net
        finally:
            self.net = own

    def state(self) -> dict[str, torch.Tensor]:
        """Return the tensors of optimiser and average, for a checkpoint that can be resumed."""
        state = self.optimiser.state_dict()["state"]
        tensors = {
            f"{_OPTIMISER}{number}.{name}": torch.as_tensor(value)
            for number, values in state.items()
            for name, value in values.items()
        }
        if self._average is not None:
            steps = self._average.n_averaged - 1
            average = {**self._average.module.state_dict(), _STEPS: steps}
            tensors |= {_AVERAGE + name: value for name, value in average.items()}
        return tensors

    def load_state(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Restore optimiser and average from the tensors of a checkpoint."""
        state: dict[int, dict[str, torch.Tensor]] = {}
        for key, value in tensors.items():
            if key.startswith(_OPTIMISER):
                number, name = key.removeprefix(_OPTIMISER).split(".")
                state.setdefault(int(number), {})[name] = value
        whole = self.optimiser.state_dict()
        self.optimiser.load_state_dict({**whole, "state": state})
        if self._average is not None:
            average = {
                k.removeprefix(_AVERAGE): v for k, v in tensors.items() if k.startswith(_AVERAGE)
            }
            self._average.n_averaged.copy_(average.pop(_STEPS) + 1)
            self._average.module.load_state_dict(average)


def average_of(net: Net, decay: float) -> AveragedModel:
    """Return a copy of a net that follows its weights as an exponential moving average.

    The statistics of batch norms are averages already and are copied.

    Parameters
    ----------
    net : UNet or VNet
        Whose weights are averaged (Polyak and Juditsky 1992), from those that it has now.
    decay : float
        Share of the average that stays at each step; less at the start of a run, so that the
        average is not held back by the first, random weights.
    """

    def update(average: Any, weights: Any, count: Any) -> None:
        steps = int(count)
        share = min(decay, (1 + steps) / (10 + steps))
        get_ema_multi_avg_fn(share)(average, weights, count)  # type: ignore[no-untyped-call]

    model = AveragedModel(net, multi_avg_fn=update)
    model.n_averaged.fill_(1)  # the weights that the net has now; at 0 they would be replaced
    return model
