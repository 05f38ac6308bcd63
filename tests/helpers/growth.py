"""How the time of some work grows with how much there is of it, on whatever machine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

TIMES = 8
LINEAR = 24
"""Well above what linear work grows by, `TIMES`, and well below what quadratic work does, 64."""
_TURNS = 5


def growth(prepare: Callable[[int], Callable[[], Any]], count: int) -> float:
    """How many times as long `TIMES` as much work takes.

    The least of a few turns each, of this process's own time: what else the machine does then
    hardly counts.

    Parameters
    ----------
    prepare : callable
        Returns the work for a number of things.
    count : int
        So many that the work takes some milliseconds.
    """
    works = prepare(count), prepare(TIMES * count)
    for work in works:
        work()
    least = [float("inf")] * 2
    for _ in range(_TURNS):
        for number, work in enumerate(works):
            start = time.process_time()
            work()
            least[number] = min(least[number], time.process_time() - start)
    return least[1] / least[0]
