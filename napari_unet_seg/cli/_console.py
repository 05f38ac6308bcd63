"""Output of the program: text and progress bars, JSON, and problems."""

from __future__ import annotations

import dataclasses
import json
import math
import sys
import time
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import typer
from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.progress import Progress, TaskID


Failure = tuple[str, str]
"""Name of an item that failed, and its problem."""

BAD_INPUT = 2
"""Exit code after bad input; the rest of the input has been processed."""


def say(text: str) -> None:
    """Print a result."""
    typer.echo(text)


def warn(text: str) -> None:
    """Print a problem to the standard error, in one line."""
    typer.echo(" ".join(text.split()), err=True)


def report_failures(failed: Sequence[Failure]) -> None:
    """Print the problems of failed items, one line each, preceded by the name if not part of it."""
    for name, problem in failed:
        warn(problem if name in problem else f"{name}: {problem}")


def emit(value: Any) -> None:
    """Print a value as one line of JSON; NaN becomes null."""
    typer.echo(json.dumps(plain(value), allow_nan=False))


def plain(value: Any) -> Any:
    """Convert events, configurations and paths to JSON values; arrays are skipped."""
    if isinstance(value, BaseModel):
        return plain(value.model_dump())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [f.name for f in dataclasses.fields(value)]
        return plain({name: getattr(value, name) for name in names})
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items() if not isinstance(v, np.ndarray)}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, Path | Enum):
        return str(value.value if isinstance(value, Enum) else value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def event_line(event: Any) -> dict[str, Any]:
    """Convert an event to a JSON object with the name of its class under `event`."""
    return {"event": type(event).__name__, **plain(event)}


def table(rows: Sequence[Sequence[str]]) -> str:
    """Format rows as a table; the first row is the header, the first column is left-aligned."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        first, *others = (cell.rjust(w) for cell, w in zip(row, widths, strict=True))
        lines.append("  ".join([first.strip().ljust(widths[0]), *others]).rstrip())
    return "\n".join(lines)


def number(value: float, digits: int = 3) -> str:
    """Format a number; NaN becomes a dash."""
    return f"{value:.{digits}f}" if math.isfinite(value) else "–"


class Bar:
    """A progress bar with rate and remaining time, shown if standard error is a terminal.

    Parameters
    ----------
    title : str
        Name of the activity.
    unit : str
        Name of the counted items.
    quiet : bool
        Whether to show nothing.
    """

    def __init__(self, title: str, unit: str, *, quiet: bool = False) -> None:
        self._title, self._unit = title, unit
        self._shown = not quiet and sys.stderr.isatty()
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._start = time.perf_counter()

    def __enter__(self) -> Self:
        if self._shown:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

            self._progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TextColumn("{task.fields[left]}"),
                console=Console(stderr=True),
            )
            self._progress.start()
            self._task = self._progress.add_task(self._title, total=None, rate="", left="")
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()

    def update(
        self,
        done: float,
        total: int,
        text: str = "",
        rate: float | None = None,
        left: float | None = None,
    ) -> None:
        """Set the progress; by default rate and remaining time are averages since the start."""
        if self._progress is None or self._task is None:
            return
        seconds = time.perf_counter() - self._start
        rate = done / seconds if rate is None else rate
        left = (total - done) / max(rate, 1e-9) if left is None else left
        self._progress.update(
            self._task,
            description=f"{self._title} {text}".rstrip(),
            completed=done,
            total=total,
            rate=f"{rate:.3g} {self._unit}/s",
            left=f"{duration(left)} left",
        )

    def say(self, text: str) -> None:
        """Print a text above the bar."""
        if self._progress is None:
            say(text)
        else:
            self._progress.console.print(text, markup=False, highlight=False)


def duration(seconds: float) -> str:
    """Format a duration as minutes and seconds, with hours from one hour on."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"
