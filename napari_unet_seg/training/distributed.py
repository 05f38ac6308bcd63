"""Distributed training: the group of processes of one run, usually one process or one per GPU."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch

from napari_unet_seg.errors import EngineError
from napari_unet_seg.io.common.optional_dependencies import require
from napari_unet_seg.training.launcher import node_process_count, process_count

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from napari_unet_seg.nn.build import Net

Array = np.ndarray[Any, np.dtype[Any]]
T = TypeVar("T")


class ProcessGroup:
    """The group of a training in a single process.

    Parameters
    ----------
    device : torch.device
        Device that this process computes on.

    Attributes
    ----------
    rank : int
        Rank of this process, from 0; the process of rank 0 writes the files.
    size : int
        Number of processes.
    """

    rank = 0
    size = 1

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def shard(self, indices: Array) -> Array:
        """Return the indices of a batch that this process computes."""
        return indices[self.rank :: self.size]

    def wrap(self, net: Net) -> Any:
        """Return a net whose gradients are averaged over the processes."""
        return net

    def backward(self, loss: torch.Tensor) -> None:
        """Compute the gradients."""
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no types here

    def all_reduce(self, values: torch.Tensor) -> torch.Tensor:
        """Sum values over the processes; gradients flow through the sum."""
        return values

    def all_gather(self, value: T) -> list[T]:
        """Return the values of all processes, in the order of their ranks."""
        return [value]


class FabricProcessGroup(ProcessGroup):
    """A group of several processes, connected by Lightning Fabric.

    Parameters
    ----------
    device : torch.device
        Kind of device; each process takes one device of this kind.
    """

    def __init__(self, device: torch.device) -> None:
        self._fabric = _fabric(device)
        self._fabric.launch()
        super().__init__(self._fabric.device)
        self.rank, self.size = self._fabric.global_rank, self._fabric.world_size

    def wrap(self, net: Net) -> Any:
        """Return a net whose gradients are averaged over the processes."""
        if self.device.type == "cuda":
            # torch has no SyncBatchNorm for CPUs: there each process normalises its own samples.
            net = torch.nn.SyncBatchNorm.convert_sync_batchnorm(net)  # type: ignore[no-untyped-call]
        wrapped = self._fabric.setup_module(net)
        wrapped.mark_forward_method("supervised")
        return wrapped

    def backward(self, loss: torch.Tensor) -> None:
        """Compute the gradients."""
        self._fabric.backward(loss)

    def all_reduce(self, values: torch.Tensor) -> torch.Tensor:
        """Sum values over the processes; gradients flow through the sum."""
        from torch.distributed.nn.functional import all_reduce

        summed: torch.Tensor = all_reduce(values)  # type: ignore[no-untyped-call]
        return summed

    def all_gather(self, value: T) -> list[T]:
        """Return the values of all processes, in the order of their ranks."""
        values: list[Any] = [None] * self.size
        torch.distributed.all_gather_object(values, value)
        return values


def join_processes(device: torch.device) -> ProcessGroup:
    """Connect the processes that `torchrun`, `fabric run` or SLURM started, if there are any.

    Parameters
    ----------
    device : torch.device
        Kind of device to compute on.

    Raises
    ------
    EngineError
        If the processes cannot be connected.
    """
    if process_count() == 1:
        return ProcessGroup(device)
    try:
        return FabricProcessGroup(device)
    except (RuntimeError, ValueError) as error:
        raise EngineError(
            f"The {process_count()} processes of this training cannot connect ({error}); start "
            "them with torchrun, fabric run or srun, one process for each device."
        ) from error


def _fabric(device: torch.device) -> Fabric:
    fabric: type[Fabric] = require("lightning_fabric").Fabric
    if "LT_CLI_USED" in os.environ:
        return fabric()  # `fabric run` has set all options in the environment
    local = node_process_count()
    return fabric(
        accelerator="gpu" if device.type == "cuda" else "cpu",
        strategy="ddp",
        devices=local,
        num_nodes=process_count() // local,
    )
