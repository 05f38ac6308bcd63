"""Kill work at random moments, and look for what is lost.

    python -m benchmarks.reliability.kills [--kills 960] [--only NAME] [--seed N]

Half of the kills come at a random time, half before a random change of a file's name or content.
Afterwards another process reads everything, does the work again, and compares: what was told to be
stored must be there, every file whole, the work done again or resumed must give what it gives
without a kill.
"""

from __future__ import annotations

import random
import secrets
import shutil
import sys
import time
from typing import TYPE_CHECKING, Any

from benchmarks.common.options import given_to, parser_of
from benchmarks.reliability.forks import processes
from benchmarks.reliability.record import keep_figures
from benchmarks.reliability.work import WORKS
from benchmarks.reliability.work.work import Found

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.reliability.work.work import Work

_TRIES = 10
"""Tries for a kill that comes before the work has ended."""


class Campaign:
    """One kind of work that is killed over and over.

    Parameters
    ----------
    work : Work
        The work.
    scratch : Path
        An empty folder.
    choose : Random
        Chooses the moments.
    """

    def __init__(self, work: Work, scratch: Path, choose: random.Random) -> None:
        self._work, self._choose = work, choose
        self._scratch = scratch
        self._template, self._copy = scratch / "template", scratch / "copy"
        self._log = scratch / "log"
        self.losses: list[str] = []
        self.litter = self.hung = self.killed = 0
        self._call(work.prepare, self._template)
        self._seconds, self._steps = self._calm()

    def _call(self, function: Any, *arguments: Any) -> processes.Ended:
        ended = processes.run(function, *arguments, log=self._log)
        if not ended.done:
            raise RuntimeError(ended.problem or f"{self._work.name} hangs without a kill")
        return ended

    def _fresh(self) -> Path:
        shutil.rmtree(self._copy, ignore_errors=True)
        shutil.copytree(self._template, self._copy)
        return self._copy

    def _calm(self) -> tuple[float, int]:
        """Do the work without a kill: its time, and its changes to files."""
        for _ in range(2):  # the first may be slower
            ended = self._call(self._work.run, self._fresh())
            checked = self._call(self._work.check, self._copy, ended.told)
            if checked.told[-1].lost:
                raise RuntimeError(f"{self._work.name}, without a kill: {checked.told[-1].lost}")
        return ended.seconds, ended.steps

    def kill(self) -> None:
        """Kill once, and check."""
        for _ in range(_TRIES):
            ended = self._killed()
            if ended.killed:
                break
        else:
            return  # it does not count
        self.killed += 1
        self.hung += ended.hung
        found = self._check(ended)
        if ended.hung:
            found.lost.append("it did not end")
        self.litter += found.litter
        self.losses += found.lost[:1]

    def _killed(self) -> processes.Ended:
        self._fresh()
        self._log.write_text("")
        only_child = self._work.victim == "child"
        by_time = only_child or not self._steps or self._choose.random() < 0.5
        return processes.run(
            self._work.run,
            self._copy,
            log=self._log,
            seconds=self._choose.uniform(0, 1.05 * self._seconds) if by_time else None,
            step=None if by_time else self._choose.randint(1, self._steps),
            child=self._choose if only_child else None,
            after=self._work.begins,
        )

    def _check(self, ended: processes.Ended) -> Found:
        checked = processes.run(self._work.check, self._copy, ended.told, log=self._log)
        found = checked.told[-1] if checked.told else Found()
        if not checked.done:
            why = checked.problem.strip().splitlines()[-1:] or ["it does not end"]
            found.lost.append(f"afterwards: {why[0]}")
        if self._work.victim == "child" and "Traceback" in self._log.read_text(errors="replace"):
            found.lost.append("the program ended with a traceback")
        if ended.problem:
            found.lost.append(ended.problem.strip().splitlines()[-1])
        return found

    def figures(self, seconds: float) -> dict[str, Any]:
        """What came of it."""
        return {
            "work": self._work.name,
            "tried": self.killed,
            "lost": len(self.losses),
            "litter": self.litter,
            "seconds": round(seconds, 1),
            "losses": sorted(set(self.losses))[:20],
        }


def kill_all(works: Sequence[Work], kills: int, seed: int, scratch: Path) -> list[dict[str, Any]]:
    """Kill each work its share of times; return the figures of each."""
    choose = random.Random(seed)
    total = sum(work.share for work in works)
    rows = []
    for number, work in enumerate(works):
        (scratch / str(number)).mkdir()
        count = max(1, round(kills * work.share / total))
        rows.append(_kill_one(work, count, choose, scratch / str(number)))
        sys.stderr.write(f"{rows[-1]}\n")
    return rows


def _kill_one(work: Work, count: int, choose: random.Random, scratch: Path) -> dict[str, Any]:
    start = time.perf_counter()
    try:
        campaign = Campaign(work, scratch, choose)
        for _ in range(count):
            campaign.kill()
    except RuntimeError as error:  # work that fails without a kill; the others are tried
        failed = {"work": work.name, "tried": 0, "lost": 1, "litter": 0, "seconds": 0}
        return failed | {"losses": [str(error).strip().splitlines()[-1]]}
    return campaign.figures(time.perf_counter() - start)


def main() -> bool:
    """Kill, and keep the figures; return whether anything was lost."""
    parser = parser_of(__doc__)
    parser.add_argument("--kills", type=int, default=960)
    parser.add_argument("--only", default="", help="part of the name of some works")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    with given_to(parser, kills=3, only="slices accepted") as given:
        processes.prepare_server()
        works = [work for work in WORKS if given.only in work.name]
        rows = kill_all(works, given.kills, given.seed, given.scratch)
        keep = not given.smoke and not given.only
        keep_figures("kills", {"seed": given.seed, "works": rows}, keep=keep)
        return any(row["lost"] for row in rows)


if __name__ == "__main__":
    sys.exit(main())
