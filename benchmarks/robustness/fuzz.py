"""Damaged files of every format, tens of thousands of them.

    python -m benchmarks.robustness.fuzz [--cases 10000] [--target coco ...] [--keep DIR]

Each case is a copy of small valid files of which one is damaged, the same way for the same number,
and is read as the widgets and the program read it. It may be read, or be refused with a
`SegmentationError`. Anything else is a failure: another exception, no answer within ten seconds,
a dead process, or memory: more than 64 MiB (what libraries take by themselves) and ten times the
file's size above what the process had. Memory is the peak of the resident set, by Linux' own
account; a reading that asks for more than 3 GiB of addresses gets none and is a failure too.

The damaged files of failures are kept in the folder given.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.common.options import given_to, parser_of
from benchmarks.common.paths import ROOT

sys.path.insert(0, str(ROOT / "tests" / "helpers" / "files"))

from fuzzing import TARGETS, damage

_PATIENCE = 10.0
_ALLOWANCE = 64 * 2**20
_ADDRESSES = 3 * 2**30
_STATUS = Path("/proc/self/status")


def _memory(key: str) -> int:
    (line,) = (line for line in _STATUS.read_text().splitlines() if line.startswith(f"{key}:"))
    return int(line.split()[1]) * 1024


def _case(name: str, valid: Path, work: Path, number: int) -> dict[str, Any]:
    """Read one damaged copy; tell what came of it."""
    from napari_unet_seg.errors import SegmentationError

    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(valid, work)
    damaged = damage(work, number)
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted anew from here
    before, start, outcome, why = _memory("VmRSS"), time.perf_counter(), "read", ""
    try:
        TARGETS[name].read(work, damaged)
    except SegmentationError as error:
        outcome, why = "refused", str(error)
    except BaseException:
        outcome, why = "failed", traceback.format_exc()
    seconds, grown = time.perf_counter() - start, _memory("VmHWM") - before
    if grown > _ALLOWANCE + 10 * damaged.stat().st_size or "not fit into memory" in why:
        outcome, why = "failed", f"memory: {grown / 2**20:.0f} MiB. {why}"
    if outcome == "refused" and (why.count("\n") or len(why) > 1000):
        outcome, why = "failed", f"it is no sentence: {why}"
    return {"outcome": outcome, "why": why, "seconds": seconds, "grown": grown}


def _serve(name: str, folder: Path, connection: Any) -> None:
    """Read the cases that are asked for, in a process of their own."""
    logged = open(folder / "stderr.txt", "w")
    sys.stderr = logged
    warnings.simplefilter("ignore")
    _case(name, folder / "valid", folder / "work", -1)  # imports are no part of the first case
    room = _memory("VmSize") + _ADDRESSES
    resource.setrlimit(resource.RLIMIT_AS, (room, room))
    while True:
        connection.send(_case(name, folder / "valid", folder / "work", connection.recv()))


class Reader:
    """A process that reads damaged files; it is replaced when it dies or hangs."""

    def __init__(self, name: str, folder: Path) -> None:
        self._name, self._folder = name, folder
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, other = context.Pipe()
        arguments = (self._name, self._folder, other)
        self._process = context.Process(target=_serve, args=arguments, daemon=True)
        self._process.start()
        other.close()

    def read(self, number: int, patience: float = _PATIENCE) -> dict[str, Any]:
        """Read a case, whatever it does to the process."""
        self._connection.send(number)
        try:
            if self._connection.poll(patience):
                return dict(self._connection.recv())
            why = f"no answer within {patience:.0f} s"
        except EOFError:
            why = "the process died"
        self.close()
        self._start()
        return {"outcome": "failed", "why": why, "seconds": patience, "grown": 0}

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()


def fuzz(name: str, numbers: range, keep: Path) -> dict[str, Any]:
    """Read all cases of a format."""
    outcomes: Counter[str] = Counter()
    whys: Counter[str] = Counter()
    slowest, most = 0.0, 0
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "valid").mkdir()
        TARGETS[name].make(Path(folder) / "valid")
        reader = Reader(name, Path(folder))
        reader.read(-1, 120)  # it imports
        for number in numbers:
            found = reader.read(number)
            outcomes[found["outcome"]] += 1
            slowest, most = max(slowest, found["seconds"]), max(most, found["grown"])
            if found["outcome"] == "failed":
                kept = keep / f"{name}-{number}"
                shutil.rmtree(kept, ignore_errors=True)
                shutil.copytree(Path(folder) / "valid", kept)
                damage(kept, number)
                (kept / "why.txt").write_text(found["why"])
                whys[found["why"].strip().splitlines()[-1][:150]] += 1
        reader.close()
    return {
        "target": name,
        "cases": len(numbers),
        **{key: outcomes[key] for key in ("read", "refused", "failed")},
        "slowest_s": round(slowest, 2),
        "most_mb": round(most / 1e6),
        "why": whys.most_common(),
    }


def main() -> bool:
    """Print a line a format; return whether a file made it fail."""
    parser = parser_of(__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--target", nargs="*", choices=list(TARGETS), default=list(TARGETS))
    parser.add_argument("--keep", type=Path, default=Path("runs/fuzz"))
    parser.add_argument("--json", type=Path)
    with given_to(parser, cases=3, target=["nifti"]) as given:
        keep = given.scratch if given.smoke else given.keep
        keep.mkdir(parents=True, exist_ok=True)
        rows = []
        print("target      cases   read  refused  failed  slowest s  memory MB")
        for name in given.target:
            row = fuzz(name, range(given.first, given.first + given.cases), keep)
            rows.append(row)
            print(
                f"{name:10} {row['cases']:6} {row['read']:6} {row['refused']:8} {row['failed']:7} "
                f"{row['slowest_s']:10} {row['most_mb']:10}",
                flush=True,
            )
            for why, count in row["why"]:
                print(f"    {count} × {why}", flush=True)
        if given.json:
            given.json.write_text(json.dumps(rows, indent=1))
        return any(row["failed"] for row in rows)


if __name__ == "__main__":
    sys.exit(main())
