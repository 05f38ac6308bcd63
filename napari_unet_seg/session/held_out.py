"""Which accepted slices no round trains on."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

Side = Literal["train", "valid"]

FRACTION = 0.2
SMALL = 5
"""Accepted slices below which a scan is not cut in two where there are others."""


def assign_sides(
    accepted: Iterable[int],
    known: Mapping[int, Side],
    *,
    count: int,
    independent: bool,
    seed: int,
    is_labelled: Callable[[int], bool] | None = None,
) -> dict[int, Side]:
    """Give every accepted slice a side; a slice that has one keeps it for good.

    About a fifth is held out, at least one of two. Independent images are drawn one by one.
    Neighbours in one volume look alike, so there whole blocks of neighbours are drawn, and a
    slice joins the side of its block. The slices at the seam of two blocks still resemble each
    other: figures within a single volume flatter a little.

    Parameters
    ----------
    accepted : iterable of int
        Accepted slices.
    known : mapping
        Sides given in earlier rounds.
    count : int
        Slices of the scan.
    independent : bool
        Whether slices are images of their own.
    seed : int
        Of the draw.
    is_labelled : callable, optional
        Tells whether a slice has a mask; asked as seldom as can be. If it is given, one that has
        is trained on, and one of two held out, be it out of the midst of its block.

    Returns
    -------
    dict
        `known`, and the sides of the new slices.
    """
    sides = dict(known)
    width = 1 if independent else block_width(count)
    blocks: dict[int, Side] = {i // width: side for i, side in sorted(known.items())}
    accepted = sorted(accepted)
    for index in accepted:
        if index not in sides and index // width in blocks:
            sides[index] = blocks[index // width]
    new = [i for i in accepted if i not in sides]
    held = sum(sides.get(i) == "valid" for i in accepted)
    wanted = FRACTION * len(accepted) - held
    members = [i // width for i in new]
    drawn = _draw(members, wanted, seed + len(known), spare=int("train" not in sides.values()))
    sides |= {i: "valid" if i // width in drawn else "train" for i in new}
    if not _both(sides, accepted):
        sides = _cut(sides, known, accepted)
    of_accepted = {i: sides[i] for i in accepted}
    return sides | _with_a_mask(of_accepted, new, is_labelled)


def assign_scans(
    sizes: Sequence[int],
    known: Mapping[int, Side],
    is_labelled: Callable[[int], bool] | None = None,
) -> dict[int, Side]:
    """Give small scans a side each, so that about a fifth of their slices is held out.

    Cut in two, each would hold out at least one of its few slices.

    Parameters
    ----------
    sizes : sequence of int
        Accepted slices of each scan.
    known : mapping
        Sides given in earlier rounds.
    is_labelled : callable, optional
        Tells whether a scan has a mask; as in `assign_sides`.

    Returns
    -------
    dict
        `known`, and the sides of the other scans: at least one of two scans is held out.
    """
    new = [i for i in range(len(sizes)) if i not in known]
    held = sum(sizes[i] for i, side in known.items() if side == "valid")
    members = [i for i in new for _ in range(sizes[i])]
    spare = int("train" not in known.values())
    drawn = _draw(members, FRACTION * sum(sizes) - held, len(known), spare=spare)
    if new and not drawn and len(sizes) > 1 and "valid" not in known.values():
        drawn = {new[-1]}
    sides: dict[int, Side] = {**known, **{i: "valid" if i in drawn else "train" for i in new}}
    return _with_a_mask(sides, new, is_labelled)


def _with_a_mask(
    sides: dict[int, Side], new: Sequence[int], is_labelled: Callable[[int], bool] | None
) -> dict[int, Side]:
    """Let one with a mask be trained on, and of two or more one be held out.

    Else there would be nothing to train on, or nothing to measure. Only new ones change; an empty
    one is held out in place of the only one.
    """
    if is_labelled is None or not new:
        return sides
    known = cache(is_labelled)
    empty = [i for i in new if sides[i] == "train"]
    moved = _moved(sides, new, known, "train", 0)
    if moved != sides and empty and "valid" not in moved.values():
        moved[empty[-1]] = "valid"
    return _moved(moved, new, known, "valid", 1)


def _moved(
    sides: dict[int, Side],
    new: Sequence[int],
    is_labelled: Callable[[int], bool],
    to: Side,
    rest: int,
) -> dict[int, Side]:
    """Give a side that has no mask a new one from the other, if more than `rest` have one there."""
    movable = [i for i in new if sides[i] != to]
    if not movable or any(is_labelled(i) for i, side in sides.items() if side == to):
        return sides
    others = [i for i, side in sides.items() if side != to and is_labelled(i)]
    movable = [i for i in movable if i in others]
    return {**sides, movable[-1]: to} if movable and len(others) > rest else sides


def block_width(count: int) -> int:
    """Slices of a volume that are drawn together: a twelfth of it, at most 16."""
    return max(1, min(16, count // 12))


def _draw(members: list[int], wanted: float, seed: int, *, spare: int) -> set[int]:
    """Draw blocks, given by the block of each member, until they hold as many as wanted."""
    blocks, sizes = np.unique(np.array(members, int), return_counts=True)
    order = np.random.default_rng(seed).permutation(len(blocks))
    before = np.cumsum(sizes[order]) - sizes[order]
    count = min(int(np.count_nonzero(before <= wanted - 0.5)), len(blocks) - spare)
    return {int(block) for block in blocks[order[: max(count, 0)]]}


def _both(sides: Mapping[int, Side], accepted: list[int]) -> bool:
    return len({sides[i] for i in accepted}) == 2


def _cut(sides: dict[int, Side], known: Mapping[int, Side], accepted: list[int]) -> dict[int, Side]:
    """All accepted slices are on one side: hold out the last fifth of the new ones, if any."""
    new = np.array([i for i in accepted if i not in known])
    if len(accepted) < 2 or not new.size:
        return sides
    size = max(1, round(FRACTION * new.size))
    one_side = sides[accepted[0]]
    other: Side = "valid" if one_side == "train" else "train"
    return sides | {int(i): other for i in (new[-size:] if other == "valid" else new[:size])}
