"""The processes of one training: usually one, or one for each GPU or node."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch

from napari_unet_seg.errors import EngineError
from napari_unet_seg.io.common.optional_dependencies import require
from napari_unet_seg.training.launch import node_process_count, process_count

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from napari_unet_seg.nn.build import Net

Array = np.ndarray[Any, np.dtype[Any]]
T = TypeVar("T")


class Team:
    """One process, which works alone.

    Parameters
    ----------
    device : torch.device
        Where it computes.

    Attributes
    ----------
    rank : int
        Number of this process, from 0; the first one writes the files.
    size : int
        How many there are.
    """

    rank = 0
    size = 1

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def share(self, indices: Array) -> Array:
        """The part of a batch that falls to this process."""
        return indices[self.rank :: self.size]

    def join(self, net: Net) -> Any:
        """Prepare a net whose gradients are averaged over the processes."""
        return net

    def backward(self, loss: torch.Tensor) -> None:
        """Compute the gradients."""
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no types here

    def total(self, values: torch.Tensor) -> torch.Tensor:
        """Sum over the processes, through which gradients pass."""
        return values

    def gather(self, value: T) -> list[T]:
        """The values of all processes, in order."""
        return [value]


class FabricTeam(Team):
    """Several processes, joined by Lightning Fabric.

    Parameters
    ----------
    device : torch.device
        Kind of device, one for each process.
    """

    def __init__(self, device: torch.device) -> None:
        self._fabric = _fabric(device)
        self._fabric.launch()
        super().__init__(self._fabric.device)
        self.rank, self.size = self._fabric.global_rank, self._fabric.world_size

    def join(self, net: Net) -> Any:
        """Prepare a net whose gradients are averaged over the processes."""
        if self.device.type == "cuda":
            # There is no such norm for processors: there each process normalises its own part.
            net = torch.nn.SyncBatchNorm.convert_sync_batchnorm(net)  # type: ignore[no-untyped-call]
        joined = self._fabric.setup_module(net)
        joined.mark_forward_method("supervised")
        return joined

    def backward(self, loss: torch.Tensor) -> None:
        """Compute the gradients."""
        self._fabric.backward(loss)

    def total(self, values: torch.Tensor) -> torch.Tensor:
        """Sum over the processes, through which gradients pass."""
        from torch.distributed.nn.functional import all_reduce

        summed: torch.Tensor = all_reduce(values)  # type: ignore[no-untyped-call]
        return summed

    def gather(self, value: T) -> list[T]:
        """The values of all processes, in order."""
        values: list[Any] = [None] * self.size
        torch.distributed.all_gather_object(values, value)
        return values


def make_team(device: torch.device) -> Team:
    """Join the processes that `torchrun`, `fabric run` or SLURM has started, if it has.

    Raises
    ------
    EngineError
        If they cannot be joined.
    """
    if process_count() == 1:
        return Team(device)
    try:
        return FabricTeam(device)
    except (RuntimeError, ValueError) as error:
        raise EngineError(
            f"The {process_count()} processes of this training cannot be joined ({error}); start "
            "them with torchrun, fabric run or srun, one for each device."
        ) from error


def _fabric(device: torch.device) -> Fabric:
    fabric: type[Fabric] = require("lightning_fabric").Fabric
    if "LT_CLI_USED" in os.environ:
        return fabric()  # `fabric run` has said everything
    local = node_process_count()
    return fabric(
        accelerator="gpu" if device.type == "cuda" else "cpu",
        strategy="ddp",
        devices=local,
        num_nodes=process_count() // local,
    )
