"""The split of accepted slices into slices to train on and held-out slices."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from napari_unet_seg.session.stored.record import SessionRecord

Split = Literal["train", "valid"]

FRACTION = 0.2
SMALL = 5
"""A scan with fewer accepted slices gets a single split, if there are other scans."""


def unused_slices(record: SessionRecord) -> set[int]:
    """Return the accepted slices of a session that no round of Segment has used."""
    accepted = {i for i, state in enumerate(record.states) if state.is_accepted}
    return accepted - record.sides.keys() | accepted.intersection(record.only_in_point)


def assign_splits(
    accepted: Iterable[int],
    assigned: Mapping[int, Split],
    *,
    count: int,
    independent: bool,
    seed: int,
    is_labelled: Callable[[int], bool] | None = None,
    patients: Sequence[str] = (),
) -> dict[int, Split]:
    """Assign a split to every accepted slice; a slice never changes its split.

    About a fifth of the slices is held out, at least one of two. Independent images are drawn one
    by one, or patient by patient. In a volume neighbouring slices are similar, so whole blocks of
    neighbours are drawn, and a new slice gets the split of its block. Slices at the seam of two
    blocks are still similar: scores within a single volume are slightly too high.

    Parameters
    ----------
    accepted : iterable of int
        Accepted slices.
    assigned : mapping
        Splits that were assigned in previous rounds.
    count : int
        Number of slices of the scan.
    independent : bool
        Whether slices are independent images.
    seed : int
        Seed of the draw.
    is_labelled : callable, optional
        Returns whether a slice has a mask; called as rarely as possible. If given, at least one
        slice with a mask is trained on, and of two such slices one is held out, even from the
        middle of a block.
    patients : sequence of str
        The patient of each slice, if the slices are independent and their names tell it.

    Returns
    -------
    dict
        `assigned`, and the splits of the new slices.
    """
    splits = dict(assigned)
    width = 1 if independent else block_width(count)
    numbers = {patient: number for number, patient in enumerate(dict.fromkeys(patients))}

    def block(index: int) -> int:
        return numbers[patients[index]] if patients else index // width

    blocks: dict[int, Split] = {block(i): split for i, split in sorted(assigned.items())}
    accepted = sorted(accepted)
    for index in accepted:
        if index not in splits and block(index) in blocks:
            splits[index] = blocks[block(index)]
    new = [i for i in accepted if i not in splits]
    held = sum(splits.get(i) == "valid" for i in accepted)
    wanted = FRACTION * len(accepted) - held
    members = [block(i) for i in new]
    drawn = _draw(members, wanted, seed + len(assigned), spare=int("train" not in splits.values()))
    splits |= {i: "valid" if block(i) in drawn else "train" for i in new}
    if not _has_both(splits, accepted):
        splits = _divide(splits, assigned, accepted)
    of_accepted = {i: splits[i] for i in accepted}
    return splits | _ensure_masks(of_accepted, new, is_labelled)


def assign_scans(
    sizes: Sequence[int],
    assigned: Mapping[int, Split],
    is_labelled: Callable[[int], bool] | None = None,
) -> dict[int, Split]:
    """Assign one split to each small scan, so that about a fifth of their slices is held out.

    With a split of its own, each scan would hold out at least one of its few slices.

    Parameters
    ----------
    sizes : sequence of int
        Number of accepted slices of each scan.
    assigned : mapping
        Splits that were assigned in previous rounds, by index of the scan.
    is_labelled : callable, optional
        Returns whether a scan has a mask; as in `assign_splits`.

    Returns
    -------
    dict
        `assigned`, and the splits of the other scans: of two scans at least one is held out.
    """
    new = [i for i in range(len(sizes)) if i not in assigned]
    held = sum(sizes[i] for i, split in assigned.items() if split == "valid")
    members = [i for i in new for _ in range(sizes[i])]
    spare = int("train" not in assigned.values())
    drawn = _draw(members, FRACTION * sum(sizes) - held, len(assigned), spare=spare)
    if new and not drawn and len(sizes) > 1 and "valid" not in assigned.values():
        drawn = {new[-1]}
    splits: dict[int, Split] = {**assigned, **{i: "valid" if i in drawn else "train" for i in new}}
    return _ensure_masks(splits, new, is_labelled)


def _ensure_masks(
    splits: dict[int, Split], new: Sequence[int], is_labelled: Callable[[int], bool] | None
) -> dict[int, Split]:
    """Ensure that an item with a mask is trained on, and of two or more such items one held out.

    Otherwise there would be nothing to train on, or nothing to measure. Only new items change. If
    the only item with a mask moves to the training items, an empty item is held out in its place.
    """
    if is_labelled is None or not new:
        return splits
    assigned = cache(is_labelled)
    empty = [i for i in new if splits[i] == "train"]
    moved = _moved(splits, new, assigned, "train", 0)
    if moved != splits and empty and "valid" not in moved.values():
        moved[empty[-1]] = "valid"
    return _moved(moved, new, assigned, "valid", 1)


def _moved(
    splits: dict[int, Split],
    new: Sequence[int],
    is_labelled: Callable[[int], bool],
    to: Split,
    rest: int,
) -> dict[int, Split]:
    """Move a new item with a mask to the split `to` if that split has no mask.

    The other split must have more than `rest` items with a mask.
    """
    movable = [i for i in new if splits[i] != to]
    if not movable or any(is_labelled(i) for i, split in splits.items() if split == to):
        return splits
    others = [i for i, split in splits.items() if split != to and is_labelled(i)]
    movable = [i for i in movable if i in others]
    return {**splits, movable[-1]: to} if movable and len(others) > rest else splits


def block_width(count: int) -> int:
    """Return the number of slices in a block: a twelfth of a volume, at most 16."""
    return max(1, min(16, count // 12))


def _draw(members: list[int], wanted: float, seed: int, *, spare: int) -> set[int]:
    """Draw blocks, given as the block of each member, until they have the wanted member count."""
    blocks, sizes = np.unique(np.array(members, int), return_counts=True)
    order = np.random.default_rng(seed).permutation(len(blocks))
    before = np.cumsum(sizes[order]) - sizes[order]
    count = min(int(np.count_nonzero(before <= wanted - 0.5)), len(blocks) - spare)
    return {int(block) for block in blocks[order[: max(count, 0)]]}


def _has_both(splits: Mapping[int, Split], accepted: list[int]) -> bool:
    return len({splits[i] for i in accepted}) == 2


def _divide(
    splits: dict[int, Split], assigned: Mapping[int, Split], accepted: list[int]
) -> dict[int, Split]:
    """Divide accepted slices that all have one split: hold out the last fifth of the new slices."""
    new = np.array([i for i in accepted if i not in assigned])
    if len(accepted) < 2 or not new.size:
        return splits
    size = max(1, round(FRACTION * new.size))
    one_split = splits[accepted[0]]
    other: Split = "valid" if one_split == "train" else "train"
    return splits | {int(i): other for i in (new[-size:] if other == "valid" else new[:size])}
