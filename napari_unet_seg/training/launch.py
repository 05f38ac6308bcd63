"""What a launcher of several processes says in the environment (no torch)."""

from __future__ import annotations

import os


def process_count() -> int:
    """How many processes `torchrun`, `fabric run` or SLURM has started; 1 without them."""
    return int(os.environ.get("WORLD_SIZE") or os.environ.get("SLURM_NTASKS") or 1)


def process_rank() -> int:
    """The number of this process among them, from 0."""
    return int(os.environ.get("RANK") or os.environ.get("SLURM_PROCID") or 0)


def node_process_count() -> int:
    """How many of them run on this machine."""
    on_node = os.environ.get("LOCAL_WORLD_SIZE") or os.environ.get("SLURM_NTASKS_PER_NODE")
    return int(on_node or process_count())
