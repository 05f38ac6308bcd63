"""Worker processes of a command: options, and the choice of cluster or this process."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import typer

from napari_unet_seg.errors import ConfigError
from napari_unet_seg.process.cluster import TIME_LIMIT, Cluster, map_locally, worker_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from napari_unet_seg.process.pending_items import Attempt

_PACKAGES = ("distributed", "cryptography")
SCHEDULER = typer.Option(
    metavar="ADDRESS",
    help="Address of a running Dask scheduler, whose workers process the scans; they need the same "
    "files.",
)
WORKERS = typer.Option(
    metavar="N",
    min=1,
    help="Processes on this machine that process the scans. Default: one for every four cores and "
    "sixteen scans.",
)
SCAN_TIMEOUT = typer.Option(
    metavar="MINUTES",
    min=0,
    help="Longest time of a scan at a worker process; after it the scan is listed as failed.",
)
TIMEOUT = TIME_LIMIT / 60
"""Minutes."""


def open_cluster(
    scheduler: str, workers: int | None, scans: int, timeout: float = TIMEOUT
) -> AbstractContextManager[Cluster | None]:
    """Return the cluster that processes the scans; None for this process.

    Raises
    ------
    ConfigError
        If both a scheduler and a number of workers are given, or no scheduler answers.
    DataError
        If a cluster is requested and a package of the extra `distributed` is not installed.
    """
    if scheduler and workers:
        raise ConfigError(
            "--workers starts processes on this machine and --scheduler uses other workers; give "
            "only one of them."
        )
    if not workers:
        # Without the packages this process processes all scans.
        workers = worker_count(scans) if all(map(find_spec, _PACKAGES)) else 1
    if scheduler or workers > 1:
        return Cluster(scheduler, workers, timeout * 60)
    return nullcontext()


@dataclass(frozen=True, slots=True)
class Distribution:
    """Calls a function for every item, in the processes that `open_cluster` chooses."""

    scheduler: str
    workers: int | None

    def __call__(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Attempt]:
        """Yield the results in the order of the items."""
        with open_cluster(self.scheduler, self.workers, len(items)) as cluster:
            yield from cluster.map(function, items) if cluster else map_locally(function, items)
