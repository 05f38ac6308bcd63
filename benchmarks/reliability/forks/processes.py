"""Work in processes that can be killed at any moment, each forked from one that has imported all.

A process leads a group of its own, which its children join, so that all of them are killed at once.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psutil

from benchmarks.common.paths import ROOT
from napari_unet_seg.errors import SegmentationError

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from pathlib import Path

PATIENCE = 120.0
"""Seconds for work that is to end by itself."""
_CONTEXT = multiprocessing.get_context("forkserver")
_CHANGES = frozenset(("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate"))


@dataclass(slots=True)
class Ended:
    """What a process has told, and how it ended."""

    told: list[Any] = field(default_factory=list)
    done: bool = False
    """Whether the work came to its end."""
    killed: bool = False
    hung: bool = False
    gone: bool = False
    """Whether it ended without a word."""
    problem: str = ""
    """The trace of an error; the message alone of an error that the user is told."""
    refused: bool = False
    """Whether the error is one that the user is told."""
    steps: int = 0
    """Number of changes to the file system, if the work came to its end."""
    seconds: float = 0.0


def prepare_server(imports: str = "benchmarks.reliability.forks.warm") -> None:
    """Set what the forked processes have in common; once, before the first of them.

    Parameters
    ----------
    imports : str
        Name of the module that imports what they work with.
    """
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    os.environ |= {
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONWARNINGS": "ignore",
        "OMP_NUM_THREADS": "1",
        # Which precision is faster is measured anew in each process.
        "NAPARI_UNET_SEG_PRECISION": "float32",
    }
    _CONTEXT.set_forkserver_preload([imports])


def run(
    work: Callable[..., Any],
    *arguments: Any,
    log: Path,
    seconds: float | None = None,
    step: int | None = None,
    child: random.Random | None = None,
    after: str = "",
    act: Callable[[], Any] | None = None,
) -> Ended:
    """Run `work(*arguments, tell)` in a process, and kill it.

    Parameters
    ----------
    work : callable
        Calls its last argument with what it has done; it is pickled.
    *arguments : any
        The other arguments.
    log : Path
        File for what the process prints.
    seconds : float, optional
        The group is killed after this time; without it and `step` nothing is killed.
    step : int, optional
        The group kills itself before this change to the file system, counted from 1.
    child : Random, optional
        Kill after `seconds` not the group, but one child of the process, chosen by this; the
        process must then end by itself.
    after : str, optional
        What the process tells when the time begins; without it the time begins with the work.
    act : callable, optional
        Called after `seconds` instead of a kill.
    """
    mine, theirs = _CONTEXT.Pipe(duplex=False)
    # not a daemon, which may have no children
    process = _CONTEXT.Process(target=_serve, args=(theirs, log, step, work, arguments))
    process.start()
    theirs.close()
    ended = Ended()
    _listen(mine, ended, PATIENCE, until="ready")
    start = time.perf_counter()
    if after and seconds is not None:
        _listen(mine, ended, PATIENCE, until=after)
    _listen(mine, ended, PATIENCE if seconds is None else seconds)
    if seconds is not None and not (ended.done or ended.problem or ended.gone):
        if act is not None:
            act()
        elif child is None:
            _kill_group(process.pid)
            ended.killed = True
        else:
            ended.killed = _kill_child(process.pid, child)
        _listen(mine, ended, PATIENCE)
    process.join(PATIENCE)
    ended.hung = process.is_alive()
    ended.killed |= process.exitcode == -signal.SIGKILL
    if ended.hung:
        _kill_group(process.pid)
        process.join()
    ended.seconds = time.perf_counter() - start
    mine.close()
    return ended


def _listen(connection: Connection, ended: Ended, seconds: float, *, until: Any = None) -> None:
    """Take what the process tells, for some time, until it tells something, or until its end."""
    deadline = time.perf_counter() + seconds
    # A process that is killed while it speaks leaves half a message.
    ended.gone = True
    with suppress(EOFError, OSError):
        while connection.poll(max(0.0, deadline - time.perf_counter())):
            kind, content = connection.recv()
            if kind == "told":
                ended.told.append(content)
            elif kind in ("problem", "refused"):
                ended.problem, ended.refused = content, kind == "refused"
            elif kind == "done":
                ended.done, ended.steps = True, content
            if content == until or kind in ("done", "problem", "refused"):
                break
        ended.gone = False


def _kill_group(leader: int | None) -> None:
    assert leader is not None
    family = _family(leader)
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
    _wait(family)


def _kill_child(parent: int | None, choose: random.Random) -> bool:
    """Kill a child of a process; return whether there was any."""
    assert parent is not None
    family = _family(parent)
    if not family:
        return False
    victim = choose.choice(family)
    with suppress(psutil.NoSuchProcess):
        victim.kill()
    _wait([victim])
    return True


def _family(leader: int) -> list[psutil.Process]:
    try:
        return psutil.Process(leader).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _wait(processes: list[psutil.Process]) -> None:
    """Wait until killed processes no longer write; nobody may collect them."""
    deadline = time.perf_counter() + PATIENCE
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            while process.status() != psutil.STATUS_ZOMBIE and time.perf_counter() < deadline:
                time.sleep(0.002)


def _serve(
    connection: Connection,
    log: Path,
    step: int | None,
    work: Callable[..., Any],
    arguments: tuple[Any, ...],
) -> None:
    os.setpgrp()
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    connection.send(("started", "ready"))
    steps = _count_steps(step)
    try:
        work(*arguments, lambda content: connection.send(("told", content)))
        sys.stdout.flush()
        last = ("done", steps[0])
    except SegmentationError as error:
        last = ("refused", str(error))
    except BaseException:
        last = ("problem", traceback.format_exc())
    connection.send(last)


def _count_steps(die_at: int | None) -> list[int]:
    """Count the changes of this process to the file system; kill its group before one of them."""
    count = [0]

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        opened = event == "open" and isinstance(arguments[2], int)
        writes = opened and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if not writes and event not in _CHANGES:
            return
        count[0] += 1
        if count[0] == die_at:
            os.killpg(0, signal.SIGKILL)

    sys.addaudithook(hook)
    return count
