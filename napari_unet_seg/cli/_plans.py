"""The plans of folders, printed by `--plan`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from napari_unet_seg.cli._console import say, table
from napari_unet_seg.io.cases.plan import plan_folder
from napari_unet_seg.io.common.counting import counted, is_or_are

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_unet_seg.io.cases.case import Plan, Source

PlanOnly = Annotated[
    bool,
    typer.Option("--plan", help="Show what the files of the folder are taken for, and stop."),
]
_SHOWN = 20
"""Most cases, and most files that are left out, in a table."""


def print_plans(folders: Sequence[Path]) -> int:
    """Print what the files of folders are taken for; return the exit code."""
    for folder in folders:
        _print_plan(plan_folder(folder.absolute()))
    return 0


def needed(out: Path | None, what: str) -> Path:
    """Return the value of `--out`, which only `--plan` does without.

    Raises
    ------
    typer.BadParameter
        If it was not given.
    """
    if out is None:
        raise typer.BadParameter(f"--out is missing; give the folder for {what}, or --plan.")
    return out


def _print_plan(plan: Plan) -> None:
    say(f"{plan.root}: {plan.layout} ({plan.why}), {counted(len(plan.cases), 'case')}.")
    rows = [("case", "patient", "visit", "split", "sequences", "masks", "recognised by")]
    for case in plan.cases[:_SHOWN]:
        scans, masks = _sources(case.sequences), _sources(case.masks)
        why = ", ".join(dict.fromkeys(filter(None, (case.why, *_reasons(case.masks)))))
        rows.append((case.name, case.patient, case.visit, case.split or "", scans, masks, why))
    say(table(rows))
    if (more := len(plan.cases) - _SHOWN) > 0:
        say(f"… and {counted(more, 'more case')}.")
    for left in plan.left_out[:_SHOWN]:
        say(f"left out: {left.path.relative_to(plan.root)} ({left.reason})")
    if (more := len(plan.left_out) - _SHOWN) > 0:
        say(f"… and {counted(more, 'more file')} {is_or_are(more)} left out.")


def _sources(named: dict[str, Source]) -> str:
    """Return the names of sequences or masks, with the number of slices of each stack."""
    return ", ".join(
        name if source.slices is None else f"{name} ({counted(len(source.files), 'slice')})"
        for name, source in named.items()
    )


def _reasons(named: dict[str, Source]) -> tuple[str, ...]:
    return tuple(source.why for source in named.values())
