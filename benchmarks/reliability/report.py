"""Write docs/reference/reliability.md from the figures that the campaigns have kept.

python -m benchmarks.reliability.report
"""

from __future__ import annotations

from typing import Any

from benchmarks.common.options import given_to, parser_of
from benchmarks.common.paths import ROOT
from benchmarks.common.records import read_records, record_path
from benchmarks.page.markdown_table import table
from benchmarks.reliability.record import KIND

PAGE = ROOT / "docs" / "reference" / "reliability.md"
Row = dict[str, Any]
_TOTALS = ("tried", "refused", "lost", "seconds")


def text() -> str:
    """The whole page."""
    names = sorted(path.stem for path in record_path(KIND, "x").parent.glob("*.json"))
    known = dict(zip(names, read_records(KIND), strict=True))
    machines = sorted({record["machine"] for record in known.values()})
    parts = [INTRODUCTION.format(machines=" or ".join(machines))]
    sections = {
        "kills": _kills,
        "faults": _faults,
        "links": _links,
        "hostile": _hostile,
        "fuzz": _fuzz,
        "window": _window,
    }
    parts += [section(known) for name, section in sections.items() if name in known]
    return "\n".join(parts)


def _total(rows: list[Row]) -> Row:
    found = {key: sum(row.get(key, 0) for row in rows) for key in _TOTALS}
    return found | {"losses": [loss for row in rows for loss in row["losses"]]}


def _reasons(rows: list[Row], key: str = "work") -> str:
    """What was lost, or that nothing was."""
    lines = [f"- {row[key]}: {_code(loss)}\n" for row in rows for loss in row["losses"]]
    return "\n" + "".join(lines) if lines else ""


def _code(reason: str) -> str:
    return f"`{reason.replace('`', chr(39))[:200]}`"


def _kills(known: dict[str, Row]) -> str:
    records = [known[name] for name in ("kills", "kill_window") if name in known]
    rows = [row for record in records for row in record["works"]]
    total = _total(rows) | {"work": "together", "litter": sum(row["litter"] for row in rows)}
    cells = [
        [
            row["work"],
            str(row["tried"]),
            str(row["lost"]),
            str(row["litter"]),
            f"{row['seconds']:.0f}",
        ]
        for row in (*rows, total)
    ]
    head = ["work", "kills", "lost", "files left over", "seconds"]
    seeds = " and ".join(str(record["seed"]) for record in records)
    return KILLS.format(table=table(head, cells), seeds=seeds) + _reasons(rows)


def _faults(known: dict[str, Row]) -> str:
    record = known["faults"]
    rows = record["works"]
    cells = []
    for fault in dict.fromkeys(row["fault"] for row in rows):
        total = _total([row for row in rows if row["fault"] == fault])
        cells.append([fault, *(f"{total[key]:.0f}" for key in _TOTALS)])
    named = [row | {"work": f"{row['fault']}, {row['work']}"} for row in rows]
    page = FAULTS.format(table=table(["fault", *_TOTALS], cells), seed=record["seed"])
    return page + _reasons(named)


def _links(known: dict[str, Row]) -> str:
    rows = known["links"]["works"]
    cells = [[row["work"], *(f"{row[key]:.0f}" for key in _TOTALS)] for row in rows]
    return LINKS.format(table=table(["work", *_TOTALS], cells)) + _reasons(rows)


def _hostile(known: dict[str, Row]) -> str:
    rows = known["hostile"]["files"]
    counts = {
        key: sum(row["outcome"] == key for row in rows) for key in ("refused", "read", "failed")
    }
    cells = [
        [
            f"{row['what']} (`{row['file'].split(', ')[1]}`)",
            _bytes(row["size"]),
            row["outcome"],
            f"{row['seconds']:.1f}",
            str(row["mebibytes"]),
        ]
        for row in rows
    ]
    head = ["file", "size", "outcome", "seconds", "MiB"]
    failed = [{"file": row["what"], "losses": [row["problem"]]} for row in rows if row["problem"]]
    page = HOSTILE.format(table=table(head, cells), tried=len(rows), **counts)
    return page + _reasons(failed, "file")


def _bytes(size: int) -> str:
    for unit in ("B", "kB", "MB"):
        if size < 1000 or unit == "MB":
            break
        size //= 1000
    return f"{size} {unit}"


def _fuzz(known: dict[str, Row]) -> str:
    rows = known["fuzz"]["targets"]
    keys = (
        "target",
        "cases",
        "read",
        "refused",
        "failed",
        "slowest_s",
        "most_mb",
        "seconds",
        "seed",
    )
    cells = [[str(row[key]) for key in keys] for row in rows]
    head = ["reader", *keys[1:5], "slowest, s", "most memory, MB", "seconds", "seed"]
    failed = [
        {"target": row["target"], "losses": [f"{count} × {why}" for why, count in row["why"]]}
        for row in rows
    ]
    page = FUZZ.format(table=table(head, cells))
    return page + _reasons(failed, "target")


def _window(known: dict[str, Row]) -> str:
    record = known["window"]
    names = {
        "mebibytes": "memory of napari, MiB",
        "engine_mebibytes": "memory of the engine's process, MiB",
        "threads": "threads",
        "files": "open files",
        "widgets": "widgets",
    }
    keys = ("first", "half", "last", "growth")
    counts = record["counts"]
    # No minus before nothing.
    cells = [[name, *(f"{counts[key][k] + 0.0:g}" for k in keys)] for key, name in names.items()]
    head = ["what", "first round", "half", "last round", "growth of a round"]
    return WINDOW.format(table=table(head, cells), **record)


INTRODUCTION = """\
# Reliability

How often it was tried to make the program lose work, and what came of it: every number comes from
a script in `benchmarks/reliability/`, and `python -m benchmarks.reliability.report` makes this page
of them. Measured on {machines}, which had other work at the time.

*Lost* counts tries after which something that was saved or accepted was missing or changed, a file
was half-written, the work could not be done again, or there was a traceback; *refused* counts tries
that ended in a sentence that says what to do.
"""

KILLS = """\
## Killed at any moment

Processes are killed with SIGKILL, half of them at a random time, half before a random change of a
file's name or content. Then everything is read, the work is done again or resumed, and compared
with work that nobody killed: a training has the very same weights and history. Files left over are
temporary files that are still there after the work was done again: beside masks and COCO files of
the user's own, and of rounds those that were trained to their end but not recorded, which stay.
`python -m benchmarks.reliability.kills` and `kill_window`, seeds {seeds}.

{table}"""

FAULTS = """\
## Full and read-only disks, deleted and changed files

The same work on a disk that is full after a random number of bytes, or read-only, and then, with
room made, checked as after a kill; and while a random file that it uses is deleted, cut or
overwritten at a random time, after which it must end in a sentence.
`python -m benchmarks.reliability.faults`, seed {seed}.

{table}"""

LINKS = """\
## Links that lead out

Each file and folder that a session, run or data set holds is in turn a link to a file outside, to
nothing, and to a folder outside. Lost would be what is written there.
`python -m benchmarks.reliability.links`.

{table}"""

HOSTILE = """\
## Files made to hurt

Each is given to the program, which gets 4 GiB of addresses. It must be refused in a sentence or be
read, within 60 seconds and ten times its size of memory above 256 MiB. Of {tried} files {refused}
are refused, {read} are read and {failed} fail. `python -m benchmarks.reliability.hostile`.

{table}"""

FUZZ = """\
## Damaged files of every format

Bytes of small valid files are flipped, cut, repeated and spliced, values of JSON changed for others
that make no sense there. A file is read or refused in a sentence within ten seconds and ten times
its size of memory above 64 MiB; anything else fails. `python -m benchmarks.reliability.fuzz`; the
seed is the number of the first case.

{table}"""

WINDOW = """\
## The window, {rounds} times

In one napari: open a scan, segment, start a session, correct, accept all slices, close. The growth
of a round is the slope over the second half of the rounds, which took {seconds:.0f} seconds in all.
`python -m benchmarks.reliability.window`.

{table}"""


def main() -> None:
    """Write the page."""
    with given_to(parser_of(__doc__)) as given:
        page = given.scratch / PAGE.name if given.smoke else PAGE
        page.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
