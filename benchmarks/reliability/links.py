"""Plant links that lead out into sessions, runs and data sets, and look for what is written there.

    python -m benchmarks.reliability.links [--only NAME]

Every file and folder that the work writes is in turn a link to a file outside, to nothing, or to a
folder outside. The work may go on or refuse in a sentence; outside nothing may change.
"""

from __future__ import annotations

import shutil
import sys
import time
from typing import TYPE_CHECKING, Any

from benchmarks.common.options import given_to, parser_of
from benchmarks.reliability.forks import processes
from benchmarks.reliability.record import keep_figures
from benchmarks.reliability.work import WORKS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.reliability.work.work import Work

_ROOTS = {
    "session: masks saved": "session",
    "session: slices accepted": "session",
    "session: rounds of fine-tuning": "session",
    "training: the engine": "run",
    "fine-tuning": "run",
    "import": "set",
}
"""The folder that each work writes into."""
_TARGETS = ("file", "nothing", "folder")


def _plant(root: Path, name: Path, kind: str, outside: Path) -> None:
    """Put a link in the place of a file or folder, and what it leads to."""
    outside.mkdir()
    (outside / "file").write_bytes(b"somebody's only copy")
    (outside / "folder").mkdir()
    place = root / name
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.is_dir():
        shutil.rmtree(place)
    place.unlink(missing_ok=True)
    place.symlink_to(outside / kind)


def _content(folder: Path) -> dict[str, bytes]:
    files = (p for p in folder.rglob("*"))
    return {str(p): p.read_bytes() if p.is_file() else b"" for p in files}


def _cases(work: Work, scratch: Path, log: Path) -> Iterator[tuple[Path, str]]:
    """What the work writes, and what a link there leads to."""
    root = scratch / "calm" / _ROOTS[work.name]
    shutil.copytree(scratch / "template", scratch / "calm")
    processes.run(work.run, scratch / "calm", log=log)
    for path in sorted(root.rglob("*")):
        for kind in _TARGETS:
            yield path.relative_to(root), kind


def plant_all(work: Work, scratch: Path, most: int) -> dict[str, Any]:
    """Run a work with each link; tell what came of it."""
    start, log = time.perf_counter(), scratch / "log"
    processes.run(work.prepare, scratch / "template", log=log)
    counts = {"tried": 0, "refused": 0}
    losses = []
    for name, kind in list(_cases(work, scratch, log))[:most]:
        copy, outside = scratch / "copy", scratch / "outside"
        for folder in (copy, outside):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(scratch / "template", copy)
        _plant(copy / _ROOTS[work.name], name, kind, outside)
        before = _content(outside)
        ended = processes.run(work.run, copy, log=log)
        counts["tried"] += 1
        counts["refused"] += ended.refused or "exit 2" in ended.told
        if _content(outside) != before:
            losses.append(f"{name} as a link to {kind}: something was written outside")
        elif ended.hung or (ended.problem and not ended.refused):
            losses.append(f"{name} as a link to {kind}: {ended.problem.strip().splitlines()[-1]}")
    seconds = round(time.perf_counter() - start, 1)
    return {"work": work.name, **counts, "lost": len(losses), "seconds": seconds, "losses": losses}


def main() -> bool:
    """Plant, and keep the figures; return whether anything was written outside."""
    parser = parser_of(__doc__)
    parser.add_argument("--only", default="", help="part of the name of some works")
    parser.add_argument("--most", type=int, default=1_000, help="links for each work")
    with given_to(parser, only="slices accepted", most=2) as given:
        processes.prepare_server()
        rows = []
        for work in WORKS:
            if work.name in _ROOTS and given.only in work.name:
                scratch = given.scratch / str(len(rows))
                scratch.mkdir()
                rows.append(plant_all(work, scratch, given.most))
        keep = not given.smoke and not given.only
        keep_figures("links", {"works": rows}, keep=keep)
        return any(row["lost"] for row in rows)


if __name__ == "__main__":
    sys.exit(main())
