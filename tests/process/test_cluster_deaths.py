"""Workers that are killed, or never finish an item: every item has a value or a problem."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import dask
import psutil
import pytest
from cluster_tasks import never_ends, square, takes_its_time
from dask.utils import parse_timedelta

from napari_unet_seg.errors import EngineError
from napari_unet_seg.process.cluster import TIME_LIMIT, Cluster
from napari_unet_seg.process.pending_items import PendingItems, WorkerTask

if TYPE_CHECKING:
    from collections.abc import Iterator

# Dask and Tornado leave sockets to the garbage collector as they shut down.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module")
def cluster():
    with Cluster(workers=2) as cluster:
        yield cluster


def worker_processes() -> set[int]:
    """The processes of workers, from their first moment on."""
    found = set()
    for child in psutil.Process().children(recursive=True):
        try:
            if any("spawn_main" in word for word in child.cmdline()):
                found.add(child.pid)
        except psutil.Error:
            continue
    return found


@contextmanager
def killing(count: int, age: float, spare: set[int]) -> Iterator[list[int]]:
    """Kill so many workers, each at an age in seconds, except some."""
    killed: list[int] = []
    ended = threading.Event()

    def kill() -> None:
        while len(killed) < count and not ended.wait(0.01):
            for pid in worker_processes() - spare - {*killed}:
                if not ended.wait(age):
                    killed.append(pid)
                    os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield killed
    finally:
        ended.set()
        killer.join()


# A worker takes about a second to start: it dies before it is known, as it gets known, and at work.
@pytest.mark.parametrize("age", [0, 0.3, 0.8])
def test_every_item_ends_though_workers_die_at_every_step(cluster, age):
    with killing(5, age, set()) as killed:
        attempts = list(cluster.map(takes_its_time, range(24)))
    assert killed
    assert [a.item for a in attempts] == list(range(24))
    # An item has no value only if the worker died that had it, and then the one that took over.
    problems = [a.problem for a in attempts if a.value != a.item]
    assert all(p.startswith("The worker process") and "died" in p for p in problems)
    assert len(problems) <= len(killed) // 2


def test_a_worker_that_is_long_dead_is_still_started_again(cluster):
    # Dask asks once after this time, and then closes what would start the worker.
    timeout = dask.config.get("distributed.deploy.lost-worker-timeout")
    assert parse_timedelta(timeout) > TIME_LIMIT


def test_an_item_that_never_ends_is_given_up_and_its_worker_replaced(cluster):
    cluster._time_limit = 2
    attempts = list(cluster.map(never_ends, range(6)))
    cluster._time_limit = TIME_LIMIT
    assert [a.value for a in attempts] == [0, 1, None, 3, 4, 5]
    assert attempts[2].problem.startswith("No result came from a worker within 0.0333333 minutes")
    cluster.client.wait_for_workers(2, timeout=60)
    assert [a.value for a in cluster.map(square, range(3))] == [0, 1, 4]


def test_an_item_that_no_worker_has_is_sent_again(cluster, monkeypatch):
    monkeypatch.setattr("napari_unet_seg.process.pending_items.LOST", 1)
    pending = PendingItems(cluster.client, WorkerTask(square), [3], TIME_LIMIT)
    assert pending.wait_for(0).value == 9
    elsewhere = cluster.client.submit(square, 3, workers=["127.0.0.1:1"], pure=False)
    pending._sent[elsewhere] = 0
    assert pending.wait_for(0).value == 9


def test_without_any_worker_every_item_has_its_problem(monkeypatch):
    monkeypatch.setattr("napari_unet_seg.process.pending_items.NO_WORKERS", 1)
    with Cluster(workers=1) as cluster:
        cluster.client.retire_workers()
        attempts = list(cluster.map(square, range(6)))
    assert [a.value for a in attempts] == [None] * 6
    assert all(a.problem.startswith("No worker process is left") for a in attempts)


def test_workers_that_die_as_they_start_are_told_in_a_sentence(cluster):
    there = worker_processes()
    with (
        killing(2, 0.2, there),
        pytest.raises(EngineError, match="The 2 worker processes did not start"),
    ):
        Cluster(workers=2)
