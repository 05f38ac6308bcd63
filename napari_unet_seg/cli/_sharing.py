"""Which processes take the scans of a command."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import typer

from napari_unet_seg.errors import ConfigError
from napari_unet_seg.process.cluster import Attempt, Cluster, map_locally, worker_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

SCHEDULER = typer.Option(
    metavar="ADDRESS",
    help="Of a running Dask scheduler, whose workers take the scans; they see the same files.",
)
WORKERS = typer.Option(
    metavar="N",
    min=1,
    help="Processes on this machine that take the scans. Default: one for every four cores and "
    "sixteen scans.",
)


def shared_out(
    scheduler: str, workers: int | None, scans: int
) -> AbstractContextManager[Cluster | None]:
    """Return the cluster that takes the scans; None where this process does, with one worker.

    Raises
    ------
    ConfigError
        If both a scheduler and a number of workers are given, or no scheduler answers.
    DataError
        If a cluster was asked for and the package `distributed` is not installed.
    """
    if scheduler and workers:
        raise ConfigError("--workers starts processes here, --scheduler takes others; give one.")
    if not workers:
        # Without the package a folder is segmented all the same, by this process.
        workers = worker_count(scans) if find_spec("distributed") else 1
    if scheduler or workers > 1:
        return Cluster(scheduler, workers)
    return nullcontext()


@dataclass(frozen=True, slots=True)
class Sharing:
    """Calls a function for every item where `shared_out` says."""

    scheduler: str
    workers: int | None

    def __call__(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Attempt]:
        """Yield what became of the items, in their order."""
        with shared_out(self.scheduler, self.workers, len(items)) as cluster:
            yield from cluster.map(function, items) if cluster else map_locally(function, items)
