"""Several ways to do a thing, each in a process of its own, timed in turns in one run.

A script starts itself once for each way, with `--way`; its child serves one step after another,
and the parent goes round them, so that whatever else the machine does meets all of them alike.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Answer = dict[str, Any]


class Child:
    """One of the ways in a process of its own, which takes its steps when it is told."""

    def __init__(
        self, module: str, arguments: Sequence[str], environment: Mapping[str, str]
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **environment},
            text=True,
        )
        self.described = self._answer()

    def step(self) -> Answer:
        """Let it take a step; its `seconds` and whatever else it tells."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._answer()

    def end(self) -> None:
        """Let it go."""
        self._process.communicate()

    def _answer(self) -> Answer:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("a way ended before it answered; see above")
        answer: Answer = json.loads(line)
        return answer


def go_round(children: Mapping[str, Child], rounds: int) -> dict[str, list[Answer]]:
    """Take a step of each way in turns; a first round, which prepares the kernels, is left out."""
    answers: dict[str, list[Answer]] = {way: [] for way in children}
    for number in range(rounds + 1):
        for way, child in children.items():
            answer = child.step()
            if number:
                answers[way].append(answer)
    for child in children.values():
        child.end()
    return answers


def serve(step: Callable[[], Answer | None], described: Answer) -> None:
    """In a child: describe the way, then take a step whenever a line comes in."""
    tell(described)
    for _ in sys.stdin:
        start = time.perf_counter()
        found = step() or {}
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        tell({"seconds": seconds, "peak_mib": round(peak), **found})


def tell(values: Answer) -> None:
    """Answer the parent."""
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()
