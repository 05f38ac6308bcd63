"""Many scans shared out to worker processes, on this machine or on others, by Dask."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from napari_unet_seg.errors import ConfigError, SegmentationError
from napari_unet_seg.io.common.optional_dependencies import require
from napari_unet_seg.process.engine_process import engine_variables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_CORES = 4
"""Of a worker; more hardly speed up the network on one slice."""
_SCANS = 16
"""Of a worker at least, for it takes seconds to start."""
PATIENCE = "10s"
"""For a scheduler to answer."""
_WAITING = 4
"""Scans sent to a worker beforehand: enough to keep it busy, few enough to hold their results."""
_LOCAL = {"distributed.scheduler.allowed-failures": 0, "distributed.scheduler.worker-saturation": 1}
"""A scan that kills its worker comes back at once, and takes no waiting scan with it."""


class Attempt(NamedTuple):
    """What became of an item: a value, or a problem."""

    item: Any
    value: Any
    problem: str = ""


def worker_count(items: int, cores: int | None = None) -> int:
    """Return how many workers on this machine some scans are worth; 1 where none is gained."""
    cores = cores or os.cpu_count() or 1
    return max(1, min(cores // _CORES, items // _SCANS))


def one_by_one(function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Attempt]:
    """Yield what becomes of every item in this process, as a cluster does."""
    for item in items:
        try:
            yield Attempt(item, function(item))
        except SegmentationError as error:
            yield Attempt(item, None, str(error))


class Cluster:
    """Workers that take one item after another.

    An item that fails at a worker is tried once more at another one, which may have the memory or
    the file that the first had not; one whose worker died is tried once more alone.

    Parameters
    ----------
    address : str
        Of a running Dask scheduler, `tcp://node:8786` for example; empty starts workers here.
        Its workers need this package, and the scans under the same paths. What they send is
        unpickled here, as Dask does: take a scheduler that you trust.
    workers : int
        Processes to start here; they share the cores.

    Raises
    ------
    DataError
        If the package `distributed` is not installed.
    ConfigError
        If no scheduler answers at the address, or it has no workers.
    """

    def __init__(self, address: str = "", workers: int = 1) -> None:
        self._distributed = require("distributed")
        self._open = ExitStack()
        try:
            self.client = self._open.enter_context(self._connect(address, workers))
        except BaseException:
            self._open.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def workers(self) -> list[str]:
        """Addresses of the workers that are there now."""
        return list(self.client.scheduler_info(n_workers=-1)["workers"])

    def as_completed(self) -> Any:
        """Return an empty iterator of futures and their results, to be added to."""
        return self._distributed.as_completed(
            loop=self.client.loop, with_results=True, raise_errors=False
        )

    def _connect(self, address: str, workers: int) -> Any:
        import dask

        if address:
            try:
                client = self._distributed.Client(address, timeout=PATIENCE, set_as_default=False)
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
        threads = max(1, (os.cpu_count() or 1) // workers)
        # glibc reads its variables as a process starts; those of this process win over that, but
        # not over `env`, which comes in time for the threads.
        variables = engine_variables(threads)
        early = {"distributed.nanny.pre-spawn-environ": variables}
        self._open.enter_context(dask.config.set(_LOCAL | early))
        local = self._open.enter_context(
            self._distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                dashboard_address="127.0.0.1:0",
                silence_logs="CRITICAL",
                env=variables,
            )
        )
        return self._distributed.Client(local, set_as_default=False)

    def map(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Attempt]:
        """Yield what became of every item, in their order.

        Parameters
        ----------
        function : callable
            What a worker does with an item; it travels by pickle.
        items : sequence
            They travel likewise.
        """
        work = _Work(self, _Try(function), items)
        try:
            for index in range(len(items)):
                yield work.wait_for(index)
        finally:
            work.cancel()


class _Work:
    """Items on their way: some are sent ahead, and those that end early wait for their turn."""

    def __init__(self, cluster: Cluster, function: _Try, items: Sequence[Any]) -> None:
        self._cluster, self._function, self._items = cluster, function, items
        self._running = cluster.as_completed()
        self._sent: dict[Any, int] = {}
        self._retried: set[int] = set()
        self._suspects: list[int] = []
        """They were at a worker as it died; each goes alone, to tell the culprit."""
        self._done: dict[int, Attempt] = {}
        self._ahead = _WAITING * len(cluster.workers)
        for index in range(self._ahead):
            self._send(index)

    def wait_for(self, index: int) -> Attempt:
        """Return what became of the next item, and send another on its way."""
        while index not in self._done:
            if not self._sent:
                self._send(self._suspects.pop(0))
            future, outcome = next(self._running)
            self._take(self._sent.pop(future), *_read(future, outcome))
        self._send(index + self._ahead)
        return self._done.pop(index)

    def cancel(self) -> None:
        """Leave what is not done."""
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

    def _take(self, index: int, worker: str, value: Any, problem: str) -> None:
        others = [a for a in self._cluster.workers if a != worker]
        if problem and index not in self._retried and (others or not worker):
            self._retried.add(index)
            if worker:
                self._send(index, others)
            else:
                self._suspects.append(index)
        else:
            self._done[index] = Attempt(self._items[index], value, problem)


class _Try:
    """Call a function at a worker, and say which worker it was."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function

    def __call__(self, item: Any) -> tuple[str, Any, str]:
        from distributed import get_worker

        address = get_worker().address
        try:
            return address, self._function(item), ""
        except SegmentationError as error:
            return address, None, str(error)
        except Exception as error:  # whatever it is, the other scans go on
            return address, None, f"{type(error).__name__}: {error}"


def _read(future: Any, outcome: Any) -> tuple[str, Any, str]:
    if future.status == "finished":
        return outcome  # type: ignore[no-any-return]
    return "", None, "Its workers died, for want of memory mostly; give them more or take fewer."
