"""Damage files of every format with a seed never used before, and read them.

    python -m benchmarks.reliability.fuzz [--cases 10000] [--seed N] [--target NAME ...]

`benchmarks.robustness.fuzz` says what counts as a failure. The seed is the number of the first
case; the damaged files of failures are kept in the folder given.
"""

from __future__ import annotations

import secrets
import sys
import time
from pathlib import Path

from benchmarks.common.options import given_to, parser_of
from benchmarks.reliability.record import keep_figures
from benchmarks.robustness.fuzz import TARGETS, fuzz


def main() -> bool:
    """Read, and keep the figures; return whether a file made a reader fail."""
    parser = parser_of(__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=secrets.randbits(40))
    parser.add_argument("--target", nargs="*", choices=list(TARGETS), default=list(TARGETS))
    parser.add_argument("--keep", type=Path, default=Path("runs/fuzz"))
    with given_to(parser, cases=3, target=["nifti"]) as given:
        kept = given.scratch if given.smoke else given.keep
        kept.mkdir(parents=True, exist_ok=True)
        rows = []
        for name in given.target:
            start = time.perf_counter()
            row = fuzz(name, range(given.seed, given.seed + given.cases), kept)
            seconds = round(time.perf_counter() - start, 1)
            rows.append({**row, "seed": given.seed, "seconds": seconds})
            sys.stderr.write(f"{rows[-1]}\n")
        keep = not given.smoke and given.target == list(TARGETS)
        keep_figures("fuzz", {"targets": rows}, keep=keep)
        return any(row["failed"] for row in rows)


if __name__ == "__main__":
    sys.exit(main())
