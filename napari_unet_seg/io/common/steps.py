"""Functions as generators, which can be followed and stopped between their steps."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

from napari_unet_seg.events import Progress

if TYPE_CHECKING:
    from collections.abc import Generator

T = TypeVar("T")
_BATCH = 20
"""Steps between two events: few enough for a stop within a second, whatever a file takes."""


def result_of(steps: Generator[Any, Any, T]) -> T:
    """Take all steps, and return the result."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result


def with_progress(steps: Generator[Any, Any, T], most: int = 0) -> Generator[Progress, Any, T]:
    """Take steps, tell from time to time how many, and return the result.

    Parameters
    ----------
    steps : generator
        The steps, whose events are left out.
    most : int
        Number of all steps; 0 if it is not known.
    """
    for done in count(1):
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result
        if done % _BATCH == 0:
            yield Progress(done, most)
    raise AssertionError
