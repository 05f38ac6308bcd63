"""Sorting of the frames of a series into volumes on one grid, with notes on irregularities.

Slices are sorted along the normal of their rows and columns and spaced by their positions, as
DICOM PS3.3 C.7.6.2.1.1 defines them; Slice Thickness and Spacing Between Slices count only where
there is a single slice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.dicom.frames import Frame, normal
from napari_unet_seg.io.dicom.volumes import split

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_unet_seg.arrays import Array


_SAME_PLACE = 0.01
"""Distance in mm up to which two slices have the same position."""
_ROUNDED = 0.1
"""Largest difference of the positions of one place that rounding makes, as a share of the distance
of the slices."""
_UNEVEN = 0.1
"""Largest deviation of a slice's position, as a share of the usual distance."""
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_KEEPS = "a NIfTI mask takes the usual distance, DICOM SEG keeps every slice's own place"


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Frames on one grid."""

    volumes: tuple[tuple[Frame, ...], ...]
    """Slices by position, for each time or echo."""
    spacing: tuple[float, float, float]
    """Between slices along their normal, rows and columns, in mm."""
    affine: Array | None
    """From (column, row, slice) to RAS+ in mm, of shape (4, 4); None without positions."""
    notes: tuple[str, ...]

    @property
    def positions(self) -> tuple[tuple[float, ...], ...]:
        """Position of the first voxel of each slice, LPS in mm; empty if unknown."""
        if self.affine is None:
            return ()
        return tuple(tuple(float(v) for v in _position(f)) for f in self.volumes[0])


def arrange(frames: Sequence[Frame], source: Path) -> Stack:
    """Sort the frames of a series by position, and into volumes by time, echo and the like.

    Frames of the same position that differ in time, echo, b-value or image type belong to different
    volumes. Of frames that do not differ only the first is kept, which a note reports.

    Parameters
    ----------
    frames : sequence of Frame
        Frames of one series, in any order.
    source : Path
        File or folder of the series, for messages.

    Raises
    ------
    DataError
        If only some slices have positions, some slices lie in the same plane, or a volume lacks
        slices that another volume has.
    """
    lost = [f for f in frames if f.position is None]
    if 0 < len(lost) < len(frames):
        raise DataError(
            f"{lost[0].path} has no position, and other slices in {source} have one; copy it "
            "again, or remove it from the series."
        )
    if lost or frames[0].orientation is None:
        return _by_location(frames, source) or _by_number(frames)
    places = _places(frames, source)
    volumes, notes = split(places, source)
    step, gaps = _step(volumes[0])
    first = volumes[0][0]
    thickness = first.thickness if step is None else float(np.dot(step, _normal(first)))
    spacing = (thickness, *first.pixel_spacing)
    return Stack(volumes, spacing, _affine(first, step), (*notes, *gaps))


def _by_location(frames: Sequence[Frame], source: Path) -> Stack | None:
    """Sort by SliceLocation, which has the distances of the slices; None if it does not tell."""
    locations = [f.location for f in frames if f.location is not None]
    if len(locations) < len(frames) or len(set(locations)) < 2:
        return None
    upright = [
        replace(f, position=np.array([0.0, 0.0, location]), orientation=np.eye(2, 3))
        for f, location in zip(frames, locations, strict=True)
    ]
    stack = arrange(upright, source)
    note = "The slices have no positions; they are in the order of their SliceLocation."
    return replace(stack, affine=None, notes=(note, *stack.notes))


def _by_number(frames: Sequence[Frame]) -> Stack:
    ordered = tuple(sorted(frames, key=_order))
    distinct = len({f.moments[-1] for f in frames}) == len(frames)
    what = "numbers" if distinct else "file names"
    note = f"The slices have no positions; they are in the order of their {what}."
    spacing = (ordered[0].thickness, *ordered[0].pixel_spacing)
    return Stack((ordered,), spacing, None, (note,) if len(ordered) > 1 else ())


def _order(frame: Frame) -> tuple[int, str, int]:
    return frame.number, str(frame.path), frame.index


def _normal(frame: Frame) -> Array:
    return np.zeros(3) if frame.orientation is None else normal(frame.orientation)


def _position(frame: Frame) -> Array:
    return np.zeros(3) if frame.position is None else frame.position


def _same_place(distances: Sequence[float], thickness: float) -> float:
    """Return the distance up to which slices have the same position.

    Scanners store positions with few digits, so that those of the echoes of a slice may differ.
    Such differences are much smaller than the distances of the slices.
    """
    gaps = np.unique(np.diff(np.sort(distances)))
    least = min(_SAME_PLACE, _ROUNDED * thickness)
    gaps = gaps[gaps > least]
    jumps = np.flatnonzero(gaps[:-1] <= _ROUNDED * gaps[1:])
    if not jumps.size or gaps[jumps[0]] > _ROUNDED * thickness:
        return least
    return float(gaps[jumps[0]])


def _places(frames: Sequence[Frame], source: Path) -> list[list[Frame]]:
    """Return the frames of each position, along the normal of the first frame."""
    upright = _normal(frames[0])
    distances = [float(np.dot(_position(f), upright)) for f in frames]
    same = _same_place(distances, frames[0].thickness)
    places: list[list[Frame]] = []
    last = -np.inf
    for i in sorted(range(len(frames)), key=lambda i: (distances[i], _order(frames[i]))):
        if distances[i] - last > same:
            places.append([])
        last = distances[i]
        places[-1].append(frames[i])
    for place in places:
        place.sort(key=_order)
        for other in place[1:]:
            aside = float(np.abs(_position(other) - _position(place[0])).max())
            if aside > min(place[0].pixel_spacing) / 2:
                raise DataError(
                    f"{other.path} lies in the plane of {place[0].name}, {aside:.3g} mm away, and "
                    f"is no slice of the same stack; move it to a folder outside {source}."
                )
    return places


def _step(slices: Sequence[Frame]) -> tuple[Array | None, list[str]]:
    """Return the vector from slice to slice (LPS), and notes on slices that are off."""
    if len(slices) < 2:
        return None, []
    upright = _normal(slices[0])
    positions = np.array([_position(f) for f in slices])
    distances = np.diff(positions @ upright)
    usual = float(np.median(distances))
    step = (positions[-1] - positions[0]) / (len(slices) - 1)
    notes = _gaps(slices, distances, usual)
    if notes:
        step = step * (usual / np.dot(step, upright))
    # Of a tilted gantry the slices shift sideways, evenly.
    along = (positions - positions[0]) @ upright / np.dot(step, upright)
    aside = np.abs(positions - positions[0] - along[:, None] * step).max(axis=1)
    if aside.max() > _UNEVEN * max(min(slices[0].pixel_spacing), _SAME_PLACE):
        worst = slices[int(aside.argmax())]
        notes.append(
            f"{worst.name} is {aside.max():.3g} mm off the line of the other slices; {_KEEPS}."
        )
    return step, notes


def _gaps(slices: Sequence[Frame], distances: Array, usual: float) -> list[str]:
    """Report each missing slice, or that the distances between slices vary."""
    wide = [
        f"Slices seem to be missing between {a.name} and {b.name}: they are {d:.3g} mm apart and "
        f"the others {usual:.3g} mm."
        for a, b, d in zip(slices, slices[1:], distances, strict=False)
        if d > usual * (1 + _UNEVEN)
    ]
    narrow = bool((distances < usual * (1 - _UNEVEN)).any())
    if not wide and not narrow:
        return []
    if narrow or len(wide) > 3:
        low, high = float(distances.min()), float(distances.max())
        wide = [
            f"The slices are {low:.3g} to {high:.3g} mm apart, usually {usual:.3g} mm; some may be "
            "missing."
        ]
    return [*wide[:-1], f"{wide[-1][:-1]}; {_KEEPS}."]


def _affine(frame: Frame, step: Array | None) -> Array:
    """Return the matrix of PS3.3 C.7.6.2.1.1, with the slices as third axis, from LPS to RAS."""
    orientation = np.zeros((2, 3)) if frame.orientation is None else frame.orientation
    lps = np.eye(4)
    lps[:3, 0] = orientation[0] * frame.pixel_spacing[1]
    lps[:3, 1] = orientation[1] * frame.pixel_spacing[0]
    lps[:3, 2] = _normal(frame) * frame.thickness if step is None else step
    lps[:3, 3] = _position(frame)
    return np.asarray(_LPS_TO_RAS @ lps)
