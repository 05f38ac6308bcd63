"""Distribution of many items over worker processes, on this machine or on others, by Dask."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack, contextmanager
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from napari_unet_seg import log
from napari_unet_seg.errors import ConfigError
from napari_unet_seg.io.common.optional_dependencies import require
from napari_unet_seg.process.engine_process import engine_variables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_CORES = 4
"""Cores per worker; more cores hardly speed up the network on one slice."""
_SCANS = 16
"""Smallest number of scans per worker, since a worker takes seconds to start."""
CONNECT_TIMEOUT = "10s"
"""Time for a scheduler to answer."""
_QUEUED = 4
"""Items per worker that are submitted ahead: enough to keep it busy, few enough for the memory."""
_LOCAL = {
    # An item that kills its worker fails at once, and no queued item fails with it.
    "distributed.scheduler.allowed-failures": 0,
    "distributed.scheduler.worker-saturation": 1,
    # The pages of the web servers show the paths of scans, and ask nobody for a certificate.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}


class Attempt(NamedTuple):
    """The result of processing an item: a value, or a problem."""

    item: Any
    value: Any
    problem: str = ""


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
    file that was missing. An item whose worker died is processed once more, alone.

    Parameters
    ----------
    address : str
        Address of a running Dask scheduler, for example `tcp://node:8786`; empty starts workers on
        this machine. The workers need this package, and the scans under the same paths. Dask
        unpickles the results here: use only a scheduler that you trust.
    workers : int
        Number of processes to start on this machine; they share its cores. Only this object can
        use them: they accept only its certificates, which are made anew and kept in memory.

    Raises
    ------
    DataError
        If the package `distributed` is not installed, or `cryptography`, which makes certificates.
    ConfigError
        If no scheduler answers at the address, or the scheduler has no workers.
    """

    def __init__(self, address: str = "", workers: int = 1) -> None:
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

    def as_completed(self) -> Any:
        """Return an iterator of completed futures and their results; futures are added to it."""
        return self._distributed.as_completed(
            loop=self.client.loop, with_results=True, raise_errors=False
        )

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
        with _ctrl_c_held_back():
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
        pending = _PendingItems(self, _WorkerTask(function), items)
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


class _PendingItems:
    """Submitted items; some are submitted ahead, and results that come early are kept."""

    def __init__(self, cluster: Cluster, function: _WorkerTask, items: Sequence[Any]) -> None:
        self._cluster, self._function, self._items = cluster, function, items
        self._running = cluster.as_completed()
        self._sent: dict[Any, int] = {}
        self._retried: set[int] = set()
        self._retry_alone: list[int] = []
        """Items whose worker died; each is processed alone, to find the item that killed it."""
        self._done: dict[int, Attempt] = {}
        self._lead = _QUEUED * len(cluster.workers)
        for index in range(self._lead):
            self._send(index)

    def wait_for(self, index: int) -> Attempt:
        """Return the result of the next item, and submit another item."""
        while index not in self._done:
            if not self._sent:
                self._send(self._retry_alone.pop(0))
            future, outcome = next(self._running)
            self._record(self._sent.pop(future), *_read(future, outcome))
        self._send(index + self._lead)
        return self._done.pop(index)

    def cancel(self) -> None:
        """Cancel the items that are not done."""
        self._cluster.client.cancel(list(self._sent))

    def _send(self, index: int, workers: list[str] | None = None) -> None:
        if index >= len(self._items):
            return
        future = self._cluster.client.submit(
            self._function,
            self._items[index],
            pure=False,
            workers=workers,
            allow_other_workers=workers is not None,
        )
        self._sent[future] = index
        self._running.add(future)

    def _record(self, index: int, worker: str, value: Any, problem: str) -> None:
        others = [a for a in self._cluster.workers if a != worker]
        if problem and index not in self._retried and (others or not worker):
            self._retried.add(index)
            if worker:
                self._send(index, others)
            else:
                self._retry_alone.append(index)
        else:
            self._done[index] = Attempt(self._items[index], value, problem)


class _WorkerTask:
    """Calls a function at a worker, and returns the worker's address, the value and the problem."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function

    def __call__(self, item: Any) -> tuple[str, Any, str]:
        from distributed import get_worker

        log.start()
        address = get_worker().address
        try:
            return address, self._function(item), ""
        except Exception as error:
            return address, None, log.problem(error, item)


def _read(future: Any, outcome: Any) -> tuple[str, Any, str]:
    if future.status == "finished":
        return outcome  # type: ignore[no-any-return]
    return (
        "",
        None,
        "The worker processes died, most often because memory ran out; give them more memory or "
        "start fewer workers.",
    )
