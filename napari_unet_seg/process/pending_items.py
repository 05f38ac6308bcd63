"""The items that a cluster processes: what is submitted, what waits, and what takes too long."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from napari_unet_seg import log
from napari_unet_seg.io.common.optional_dependencies import require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_QUEUED = 4
"""Items per worker that are submitted ahead: enough to keep it busy, few enough for the memory."""
_CHECK = 1.0
"""Seconds between two checks of the workers, while no result comes."""
NO_WORKERS = 180.0
"""Seconds without any worker after which none is expected; a dead one is replaced in seconds."""
LOST = 60.0
"""Seconds in which all workers have nothing to do, after which items that were sent are lost."""
_FRESH = 10.0
"""Largest age in seconds of a worker's report that is believed."""
_RESTING = {"memory", "error", "released", "cancelled", "forgotten"}
"""States of tasks at which a worker does not work."""
_DIED = (
    "The worker processes died, most often because memory ran out; give them more memory or start "
    "fewer workers."
)
_NONE_LEFT = (
    "No worker process is left, most often because memory ran out; start fewer workers, or start "
    "workers of the scheduler again."
)


class Attempt(NamedTuple):
    """The result of processing an item: a value, or a problem."""

    item: Any
    value: Any
    problem: str = ""


class PendingItems:
    """Submitted items; some are submitted ahead, and results that come early are kept.

    Parameters
    ----------
    client : distributed.Client
        Client of the cluster.
    function : WorkerTask
        Processes one item.
    items : sequence
        All items.
    time_limit : float
        Seconds that an item may take at a worker.
    """

    def __init__(
        self, client: Any, function: WorkerTask, items: Sequence[Any], time_limit: float
    ) -> None:
        self._client, self._function, self._items = client, function, items
        self._running = require("distributed").as_completed(
            loop=client.loop, with_results=True, raise_errors=False
        )
        self._watch = _Watch(client, time_limit)
        self._sent: dict[Any, int] = {}
        self._retried: set[int] = set()
        self._retry_alone: list[int] = []
        """Items whose worker died; each is processed alone, to find the item that killed it."""
        self._done: dict[int, Attempt] = {}
        self._lead = _QUEUED * max(1, len(self._watch.workers()))
        for index in range(self._lead):
            self._send(index)

    def wait_for(self, index: int) -> Attempt:
        """Return the result of the next item, and submit another item."""
        while index not in self._done:
            if not self._sent:
                self._send(self._retry_alone.pop(0))
            if self._running.has_ready():
                future, outcome = next(self._running)
                if future in self._sent:  # else it was given up
                    self._record(self._sent.pop(future), *_read(future, outcome))
            else:
                self._wait()
        self._send(index + self._lead)
        return self._done.pop(index)

    def cancel(self) -> None:
        """Cancel the items that are not done."""
        self._client.cancel(list(self._sent))

    def _send(self, index: int, workers: list[str] | None = None) -> None:
        if index >= len(self._items):
            return
        future = self._client.submit(
            self._function,
            self._items[index],
            pure=False,
            workers=workers,
            allow_other_workers=workers is not None,
        )
        self._sent[future] = index
        self._running.add(future)

    def _record(self, index: int, worker: str, value: Any, problem: str) -> None:
        others = [a for a in self._watch.workers() if a != worker]
        if problem and index not in self._retried and (others or not worker):
            self._retried.add(index)
            if worker:
                self._send(index, others)
            else:
                self._retry_alone.append(index)
        else:
            self._done[index] = Attempt(self._items[index], value, problem)

    def _wait(self) -> None:
        """Wait until a result may be there; give up items whose result cannot come."""
        with self._running.thread_condition:
            self._running.thread_condition.wait(_CHECK)
        if self._running.has_ready():
            return
        for key, problem in self._watch.problems({f.key for f in self._sent}).items():
            self._give_up(next(f for f in self._sent if f.key == key), problem)
        if self._watch.are_lost():
            self._send_again()

    def _send_again(self) -> None:
        """Submit all items once more; where workers die in quick succession, Dask may lose some."""
        lost, self._sent = self._sent, {}
        self._client.cancel(list(lost))
        for index in lost.values():
            self._send(index)

    def _give_up(self, future: Any, problem: str) -> None:
        index = self._sent.pop(future)
        self._done[index] = Attempt(self._items[index], None, problem)
        self._client.cancel([future])


class _Watch:
    """Finds the items that take too long, and that no worker is left."""

    def __init__(self, client: Any, time_limit: float) -> None:
        self._client, self._limit = client, time_limit
        self._busy: dict[str, tuple[frozenset[Any], float]] = {}
        """The items of each worker, and since when they are the same."""
        self._worked = time.monotonic()
        """When a worker was seen last."""
        self._occupied = self._worked
        """When a worker was seen last that had something to do."""

    def workers(self) -> list[str]:
        """Return the addresses of the workers that are connected now."""
        return list(self._client.scheduler_info(n_workers=-1)["workers"])

    def are_lost(self) -> bool:
        """Whether there are workers, and none has had anything to do for a while."""
        now = time.monotonic()
        reports = self._client.scheduler_info(n_workers=-1)["workers"].values()
        if not reports or any(_is_occupied(report) for report in reports):
            self._occupied = now
        lost = now - self._occupied > LOST
        self._occupied = now if lost else self._occupied
        return lost

    def problems(self, keys: set[Any]) -> dict[Any, str]:
        """Return the items that are to be given up, each with the problem.

        Parameters
        ----------
        keys : set
            The keys of all submitted items that are not done.
        """
        now, busy = time.monotonic(), self._client.processing()
        if busy:
            self._worked = now
        elif now - self._worked > NO_WORKERS:
            return dict.fromkeys(keys, _NONE_LEFT)
        stuck = {}
        for worker, found in busy.items():
            mine, (before, since) = frozenset(found) & keys, self._busy.get(worker, ((), now))
            self._busy[worker] = mine, since if mine == before else now
            if mine and now - self._busy[worker][1] > self._limit:
                stuck[worker] = mine
        self._replace(list(stuck))
        said = (
            f"No result came from a worker within {self._limit / 60:g} minutes; give the scan more "
            "time with --scan-timeout, or look whether its disk answers."
        )
        return {key: said for mine in stuck.values() for key in mine}

    def _replace(self, workers: list[str]) -> None:
        """Start workers again, whose threads cannot be stopped; some are not started by Dask."""
        if workers:
            with suppress(ValueError, TimeoutError, OSError):
                self._client.restart_workers(workers, raise_for_error=False)


def _is_occupied(report: Mapping[str, Any]) -> bool:
    """Whether a worker works, or may, by what the scheduler knows of it."""
    tasks = report.get("metrics", {}).get("task_counts")
    if tasks is None or time.time() - report.get("last_seen", 0.0) > _FRESH:
        return True
    return any(count for state, count in tasks.items() if state not in _RESTING)


class WorkerTask:
    """Calls a function for an item, at a worker."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function

    def __call__(self, item: Any) -> tuple[str, Any, str]:
        """Return the worker's address, and the value or the problem."""
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
    return "", None, _DIED
