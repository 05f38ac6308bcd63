"""Environment variables of a launcher of several training processes (no torch)."""

from __future__ import annotations

import os


def process_count() -> int:
    """Return the number of processes that `torchrun`, `fabric run` or SLURM started, else 1."""
    return int(os.environ.get("WORLD_SIZE") or os.environ.get("SLURM_NTASKS") or 1)


def process_rank() -> int:
    """Return the rank of this process among all processes, from 0."""
    return int(os.environ.get("RANK") or os.environ.get("SLURM_PROCID") or 0)


def node_process_count() -> int:
    """Return the number of processes on this machine."""
    on_node = os.environ.get("LOCAL_WORLD_SIZE") or os.environ.get("SLURM_NTASKS_PER_NODE")
    return int(on_node or process_count())
