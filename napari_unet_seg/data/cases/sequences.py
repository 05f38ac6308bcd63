"""The sequences that a network learns from, among those of the cases of a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet_seg.data.cases.arrays import CaseImage
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.cases.channels import channels_of
from napari_unet_seg.io.common.named_channels import find_names
from napari_unet_seg.io.common.stacking import listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_unet_seg.io.cases.case import Case, Plan

UNNAMED = "image"
"""Name of the only scan of a case whose files tell no sequence."""


def chosen_sequences(
    plan: Plan, wanted: Sequence[str], *, may_lack: bool = False
) -> tuple[str, ...]:
    """Return the names of the sequences to learn from.

    Parameters
    ----------
    plan : Plan
        The plan of a folder.
    wanted : sequence of str
        Names that the user gave, or a network has; empty takes the only sequence of the cases.
    may_lack : bool
        Whether some of the names may be those of no case; they then stay as they are. A single
        name gives way to the only sequence of the cases.

    Raises
    ------
    DataError
        If a name is of no sequence, or there are several sequences and none is named.
    """
    if may_lack and len(wanted) == len(plan.sequences) == 1:
        return plan.sequences
    found = find_names(wanted, plan.sequences)
    unknown = [name for name, own in found.items() if own is None]
    if unknown and not (may_lack and len(unknown) < len(wanted)):
        raise DataError(
            f"No case of {plan.root} has the sequence {unknown[0]}; the cases have {_counts(plan)}."
        )
    if wanted:
        return tuple(name if may_lack or own is None else own for name, own in found.items())
    if len(plan.sequences) == 1:
        return plan.sequences
    raise DataError(
        f"The cases of {plan.root} have the sequences {_counts(plan)}; choose one, or several "
        f"together, for example with --sequence {' --sequence '.join(plan.sequences[:2])}."
    )


def channel_notes(cases: Sequence[Case], names: Sequence[str], first: object) -> Iterator[str]:
    """Yield sentences on cases that lack a sequence, and on how the first got onto one grid.

    Parameters
    ----------
    cases : sequence of Case
        Those that are learned from.
    names : sequence of str
        Names of the channels.
    first : CaseImage
        The image of the first sample, which the others are like.
    """
    if len(names) < 2:
        return
    lacking: dict[str, int] = {}
    for case in cases:
        for name, source in channels_of(case, names):
            lacking[name] = lacking.get(name, 0) + (source is None)
    if told := [f"{name} in {count}" for name, count in lacking.items() if count]:
        yield f"Of {len(cases)} cases some lack a sequence, which is black there: {listed(told)}."
    if isinstance(first, CaseImage):
        yield from (f"{cases[0].name}: {note}" for note in first.notes)


def _counts(plan: Plan) -> str:
    counts = {name: sum(name in case.sequences for case in plan.cases) for name in plan.sequences}
    return ", ".join(f"{name} ({count})" for name, count in counts.items())
