"""Splitting of the frames at each position into volumes: times, echoes, b-values and the like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.dicom.frame_dimensions import DIMENSIONS, MOMENTS, RANKED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_unet_seg.io.dicom.frames import Frame

    Places = Sequence[Sequence[Frame]]
    Keyed = list[dict[tuple[Any, ...], list[Frame]]]


def split(places: Places, source: Path) -> tuple[tuple[tuple[Frame, ...], ...], list[str]]:
    """Split frames of the same positions into volumes, in the order of their dimensions.

    Frames that do not differ in a dimension are told apart by acquisition, time or number, if every
    position has the same number of them; otherwise only the first of them is kept.

    Parameters
    ----------
    places : sequence of sequence of Frame
        The frames of each position.
    source : Path
        File or folder of the series, for messages.

    Returns
    -------
    tuple of tuple of Frame
        Slices by position, for each volume.
    list of str
        Notes on frames that are skipped, or told apart by their numbers.

    Raises
    ------
    DataError
        If a volume lacks slices that another volume has.
    """
    differing = _differing(places)
    ranked = _ranked(places, differing)
    keyed, notes = _by_moment([_by_dimensions(place, differing, ranked) for place in places])
    keys = sorted({key for place in keyed for key in place})
    for place in keyed:
        if len(place) < len(keys):
            kinds = " and ".join(DIMENSIONS[i] for i in differing)
            raise DataError(
                f"{source} holds images that differ by {kinds}: {len(keys)} at most positions and "
                f"{len(place)} at the position of {next(iter(place.values()))[0].name}; copy the "
                "series again, or move the files of one volume to a folder of their own."
            )
    volumes = tuple(tuple(place[key][0] for place in keyed) for key in keys)
    return volumes, notes + _doubles_note(keyed)


def _differing(places: Places) -> list[int]:
    """Return the indices of the `DIMENSIONS` in which images of the same position differ."""
    every = range(len(DIMENSIONS))
    return [i for i in every if any(len({f.dimensions[i] for f in p}) > 1 for p in places)]


def _ranked(places: Places, differing: list[int]) -> set[int]:
    """Return the dimensions of `RANKED` of which every position has as many values."""
    counts = {i: {len({f.dimensions[i] for f in place}) for place in places} for i in differing}
    return {i for i in differing if DIMENSIONS[i] in RANKED and len(counts[i]) == 1}


def _by_dimensions(
    place: Sequence[Frame], differing: list[int], ranked: set[int]
) -> dict[tuple[Any, ...], list[Frame]]:
    order = {i: sorted({f.dimensions[i] for f in place}) for i in ranked}
    found: dict[tuple[Any, ...], list[Frame]] = {}
    for frame in place:
        values = ((i, frame.dimensions[i]) for i in differing)
        key = tuple((order[i].index(v),) if i in ranked else v for i, v in values)
        found.setdefault(key, []).append(frame)
    return found


def _by_moment(keyed: Keyed) -> tuple[Keyed, list[str]]:
    """Split frames that share their dimensions by the first of `MOMENTS` in which all differ."""
    groups = [frames for place in keyed for frames in place.values()]
    counts = {len(frames) for frames in groups}
    if len(counts) > 1 or counts == {1}:
        return keyed, []
    for moment in range(len(MOMENTS)):
        if all(len({f.moments[moment] for f in frames}) == len(frames) for frames in groups):
            break
    else:
        return keyed, []
    parted: Keyed = []
    for place in keyed:
        parted.append({})
        for key, frames in place.items():
            ordered = sorted(frames, key=lambda f: f.moments[moment])
            parted[-1] |= {(*key, (rank,)): [frame] for rank, frame in enumerate(ordered)}
    return parted, _moment_note(MOMENTS[moment], counts.pop())


def _moment_note(moment: str, count: int) -> list[str]:
    if moment != MOMENTS[-1]:
        return []
    return [f"The {count} images at each position differ by their numbers only; these order them."]


def _doubles_note(keyed: Keyed) -> list[str]:
    doubles = [f for place in keyed for frames in place.values() for f in frames[1:]]
    if not doubles:
        return []
    named = ", ".join(f.name for f in doubles[:5]) + " …" * (len(doubles) > 5)
    return [f"{len(doubles)} slices have the position of another slice and are skipped: {named}."]
