"""What the user says the files of a folder are, where their names tell something else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from napari_unet_seg.io.cases.case import Case, LeftOut, Source
from napari_unet_seg.io.cases.scans import path_of
from napari_unet_seg.io.common.names import free_name, sequence_in
from napari_unet_seg.io.distinct_names import short_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from napari_unet_seg.io.cases.case import Plan

Kind = Literal["scan", "mask", "left out"]
"""What a file can be taken for."""
BY_USER = "corrected by you"


@dataclass(frozen=True, slots=True)
class Correction:
    """What the user says of a source; empty values keep what was recognised."""

    kind: Kind | None = None
    name: str = ""
    """Name of the sequence or mask."""
    case: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, stack or series of a plan, with what it is taken for: a row of the plan's table."""

    key: str
    """Names the source in its folder, also after corrections."""
    source: Source
    kind: Kind
    name: str
    """Name of the sequence or mask; empty if left out."""
    case: str
    """Name of the case; empty if left out."""
    why: str
    is_problem: bool = False
    """Whether it cannot be read, so that nothing but leaving it out is possible."""


def entries_of(plan: Plan) -> list[Entry]:
    """Return the sources of a plan: case by case sequences then masks, last what is left out."""
    return [*_used(plan), *_left_out(plan)]


def correct(plan: Plan, corrections: Mapping[str, Correction]) -> Plan:
    """Return a plan in which the user's corrections replace what names and headers told.

    A mask whose case has no scan is left out. A new name of a case makes a case.

    Parameters
    ----------
    plan : Plan
        As it was recognised.
    corrections : mapping
        Correction by the key of an `Entry`; keys that the folder no longer holds are ignored.
    """
    if not corrections:
        return plan
    entries = entries_of(plan)
    return _plan_of(plan, [_corrected(e, corrections.get(e.key), entries) for e in entries])


def _used(plan: Plan) -> Iterator[Entry]:
    for case in plan.cases:
        for name, source in case.sequences.items():
            yield _entry(plan, case, source, "scan", name)
        for name, source in case.masks.items():
            yield _entry(plan, case, source, "mask", name)


def _entry(plan: Plan, case: Case, source: Source, kind: Kind, name: str) -> Entry:
    return Entry(_key(plan, source), source, kind, name, case.name, source.why or case.why)


def _left_out(plan: Plan) -> Iterator[Entry]:
    for left in plan.left_out:
        source = left.source or Source((left.path,))
        key = _key(plan, source)
        yield Entry(key, source, "left out", "", "", left.reason, left.is_problem)


def _key(plan: Plan, source: Source) -> str:
    """Name a source by its first file's path in the folder, its series and its channel."""
    first = source.files[0]
    path = first.relative_to(plan.root).as_posix() if first.is_relative_to(plan.root) else first
    parts = (str(path), source.series, source.channel)
    return "#".join(str(part) for part in parts if part is not None)


def _corrected(entry: Entry, correction: Correction | None, others: list[Entry]) -> Entry:
    if correction is None or entry.is_problem:
        return entry
    # Who names the case of a file that is left out means its mask.
    meant: Kind = "mask" if entry.kind == "left out" and correction.case else entry.kind
    kind = correction.kind or meant
    own = entry.name if kind == entry.kind else _usual_name(entry, kind)
    case = correction.case or entry.case or _nearest_case(entry, kind, others)
    source = replace(entry.source, why=BY_USER)
    if kind == "scan" and source.slices is not None:
        source = replace(source, slices=tuple(range(len(source.files))))
    return Entry(entry.key, source, kind, correction.name or own, case, BY_USER)


def _nearest_case(entry: Entry, kind: Kind, others: list[Entry]) -> str:
    """Return the only case in the folder of a mask; a scan without a case makes one."""
    folder = entry.source.files[0].parent
    near = {e.case for e in others if e.kind == "scan" and e.source.files[0].parent == folder}
    is_of_one = kind == "mask" and len(near) == 1
    return next(iter(near)) if is_of_one else short_name(entry.source.files[0])


def _usual_name(entry: Entry, kind: Kind) -> str:
    told = sequence_in(short_name(entry.source.files[0]))
    return "mask" if kind == "mask" else told or "image"


def _plan_of(plan: Plan, entries: list[Entry]) -> Plan:
    known = {case.name: replace(case, sequences={}, masks={}) for case in plan.cases}
    left_out = []
    for entry in entries:
        if entry.kind == "left out":
            place, source = path_of(entry.source), entry.source
            left_out.append(LeftOut(place, entry.why, entry.is_problem, source=source))
            continue
        case = known.setdefault(entry.case, Case(entry.case, {}, {}, BY_USER, entry.case))
        sources = case.sequences if entry.kind == "scan" else case.masks
        sources[free_name(entry.name, sources, " ")] = entry.source
    cases = [case for case in known.values() if case.sequences]
    alone = [s for case in known.values() if not case.sequences for s in case.masks.values()]
    left_out += [
        LeftOut(path_of(s), "a mask; choose the case that it belongs to", is_mask=True, source=s)
        for s in alone
    ]
    return replace(plan, cases=tuple(cases), left_out=tuple(left_out))


def with_first_sequence(plan: Plan, name: str) -> Plan:
    """Return a plan in whose cases a sequence comes first, which is shown and segmented."""
    cases = [
        replace(case, sequences={name: case.sequences[name]} | case.sequences)
        if name in case.sequences
        else case
        for case in plan.cases
    ]
    return replace(plan, cases=tuple(cases))


def place_of(entry: Entry, root: Path) -> str:
    """Return the path of an entry, of a stack that of the first slice, without its case's name."""
    path, case = entry.source.files[0], entry.case
    place = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
    place = root.name if place == "." else place.removeprefix(f"{case}/")
    return f"…{place.removeprefix(case)}" if case and place.startswith(f"{case}_") else place
