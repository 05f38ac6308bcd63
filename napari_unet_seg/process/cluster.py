"""Distribution of many items over worker processes, on this machine or on others, by Dask."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack, contextmanager
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any, Self

from napari_unet_seg import log
from napari_unet_seg.errors import ConfigError, EngineError
from napari_unet_seg.io.common.optional_dependencies import require
from napari_unet_seg.process.engine_process import engine_variables
from napari_unet_seg.process.pending_items import Attempt, PendingItems, WorkerTask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_CORES = 4
"""Cores per worker; more cores hardly speed up the network on one slice."""
_SCANS = 16
"""Smallest number of scans per worker, since a worker takes seconds to start."""
CONNECT_TIMEOUT = "10s"
"""Time for a scheduler to answer."""
TIME_LIMIT = 2 * 3600.0
"""Seconds that an item may take at a worker."""
_LOCAL = {
    # An item that kills its worker fails at once, and no queued item fails with it.
    "distributed.scheduler.allowed-failures": 0,
    "distributed.scheduler.worker-saturation": 1,
    # Dask checks once, so long after a death, whether there is a worker again, and else never
    # starts that worker any more: if it has just died a second time, or takes long to start.
    "distributed.deploy.lost-worker-timeout": "1 day",
    # The pages of the web servers show the paths of scans, and ask nobody for a certificate.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}


def worker_count(items: int, cores: int | None = None) -> int:
    """Return the number of workers on this machine that speeds up a number of scans; at least 1.

    Parameters
    ----------
    items : int
        Number of scans.
    cores : int, optional
        Number of cores; those of this machine by default.
    """
    cores = cores or os.cpu_count() or 1
    return max(1, min(cores // _CORES, items // _SCANS))


def map_locally(function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Attempt]:
    """Process every item in this process; yield the results as `Cluster.map` does."""
    for item in items:
        try:
            yield Attempt(item, function(item))
        except Exception as error:
            yield Attempt(item, None, log.problem(error, item))


class Cluster:
    """Worker processes that process items.

    An item that fails is processed once more by another worker, which may have more memory or the
    file that was missing. An item whose worker died is processed once more, alone. An item that
    takes too long, and items that wait for workers of which none is left, fail.

    Parameters
    ----------
    address : str
        Address of a running Dask scheduler, for example `tcp://node:8786`; empty starts workers on
        this machine. The workers need this package, and the scans under the same paths. Dask
        unpickles the results here: use only a scheduler that you trust.
    workers : int
        Number of processes to start on this machine; they share its cores. Only this object can
        use them: they accept only its certificates, which are made anew and kept in memory.
    time_limit : float
        Seconds that an item may take; the worker of an item that takes longer is replaced.

    Raises
    ------
    DataError
        If the package `distributed` is not installed, or `cryptography`, which makes certificates.
    ConfigError
        If no scheduler answers at the address, or the scheduler has no workers.
    EngineError
        If a process does not start on this machine.
    """

    def __init__(self, address: str = "", workers: int = 1, time_limit: float = TIME_LIMIT) -> None:
        self._time_limit = time_limit
        self._distributed = require("distributed")
        self._open = ExitStack()
        try:
            self.client = self._connected(address) if address else self._started(workers)
        except BaseException:
            self._open.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def workers(self) -> list[str]:
        """Addresses of the workers that are connected now."""
        return list(self.client.scheduler_info(n_workers=-1)["workers"])

    def _connected(self, address: str) -> Any:
        """Return a client of a running scheduler."""
        try:
            client = self._distributed.Client(
                address, timeout=CONNECT_TIMEOUT, set_as_default=False
            )
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"No Dask scheduler answers at {address}; start one with `dask scheduler`, or "
                "give its address."
            ) from error
        self._open.enter_context(client)
        if not client.scheduler_info()["workers"]:
            raise ConfigError(
                f"The scheduler at {address} has no workers; start some with "
                f"`dask worker {address}`."
            )
        return client

    def _started(self, workers: int) -> Any:
        """Start workers on this machine, and return their client."""
        import dask

        require("cryptography")
        threads = max(1, (os.cpu_count() or 1) // workers)
        # glibc reads its variables when a process starts, so that they are set before the spawn.
        # Variables of this process override these, but not `env`, which sets the threads.
        variables = engine_variables(threads)
        pre_spawn = {"distributed.nanny.pre-spawn-environ": variables}
        self._open.enter_context(dask.config.set(_LOCAL | pre_spawn))
        with _ctrl_c_held_back(), _start_told(workers):
            local = self._distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                dashboard_address="127.0.0.1:0",
                scheduler_kwargs={"dashboard": False},
                # Any user of the machine reaches the ports, and who may submit may run any code.
                security=self._distributed.Security.temporary(),
                silence_logs="CRITICAL",
                env=variables,
            )
            self._open.enter_context(local)
        return self._open.enter_context(self._distributed.Client(local, set_as_default=False))

    def map(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Attempt]:
        """Process every item, and yield the results in the order of the items.

        Parameters
        ----------
        function : callable
            Processes one item at a worker; it is pickled.
        items : sequence
            Pickled too.
        """
        pending = PendingItems(self.client, WorkerTask(function), items, self._time_limit)
        try:
            for index in range(len(items)):
                yield pending.wait_for(index)
        finally:
            pending.cancel()


@contextmanager
def _ctrl_c_held_back() -> Iterator[None]:
    """Hold Ctrl+C back until the block ends; processes started in it never get it.

    Threads and processes that are started in the block inherit the mask of signals, as does every
    worker that one of these threads starts later: Ctrl+C in the terminal is for this process alone.
    """
    if not hasattr(signal, "pthread_sigmask"):  # on Windows
        yield
        return
    # The tracker lifts the mask when it starts, so that it is started before.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _start_told(workers: int) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, OSError) as error:
        raise EngineError(
            f"The {workers} worker processes did not start ({error}), most often because memory "
            "ran out; start fewer, or none with --workers 1."
        ) from error
