"""Reading of DICOM Segmentation objects as labels on the grid of their source (PS3.3 C.8.20).

An object stores only frames with positive pixels. The slices of the source are read from the
private attributes that this package adds to its files; else from the references to the source
images, if their order agrees with the positions of the frames; else the labels extend from the
first to the last stored frame.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.dicom.files import open_dataset, quick_kind
from napari_unet_seg.io.dicom.frame_dimensions import DIMENSIONS
from napari_unet_seg.io.dicom.frames import SEGMENTATIONS, Frame, frames_of, normal
from napari_unet_seg.io.dicom.pixels import decode
from napari_unet_seg.io.dicom.seg_write import PRIVATE_CREATOR, PRIVATE_ELEMENT, PRIVATE_GROUP
from napari_unet_seg.io.dicom.stack import arrange
from napari_unet_seg.io.disk.files import reading

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.arrays import Array


_AT = 0.05
"""Largest distance in mm between a frame and its slice."""


def is_seg(path: Path) -> bool:
    """Whether a DICOM file is a segmentation object."""
    with reading(path, "DICOM"):
        return quick_kind(path) in SEGMENTATIONS


def read_seg(path: Path) -> Scan:
    """Read a DICOM SEG as labels.

    Returns
    -------
    Scan
        Axes `ZYX`, in mm; label value i is the i-th segment, from 1; `affine` maps (column, row,
        slice) to RAS+. `meta["description"]` holds the categories, and the provenance of a file of
        this package; `meta["source_series"]` the UIDs of the series that the object refers to.

    Raises
    ------
    DataError
        If the file is damaged or has no positions, or if segments overlap.
    """
    with reading(path, "DICOM SEG"):
        dataset = open_dataset(path)
        pixels = decode(dataset, path)
        frames = frames_of(dataset, path)
        if any(f.position is None or f.orientation is None for f in frames):
            raise DataError(f"{path} has no positions of its frames; save the mask as NIfTI.")
        own = _own(dataset)
        slots = _slots(dataset, frames, own)
        labels = _labels(dataset, frames, pixels, slots, path)
    first = frames[0]
    if len(slots) == 1:
        # highdicom stores a distance of 1 mm for a single slice.
        thickness = _measure(dataset, "SliceThickness") or first.thickness
        first = replace(first, thickness=thickness)
    stack = arrange([_slice(first, i, p) for i, p in enumerate(slots)], path)
    description = dict(own.get("description") or {})
    description["categories"] = _categories(dataset, description)
    referred = dataset.get("ReferencedSeriesSequence", None) or []
    meta = {
        "notes": stack.notes,
        "description": description,
        "positions": stack.positions,
        "source_series": [str(s.get("SeriesInstanceUID", "")) for s in referred],
    }
    return Scan(labels, "ZYX", stack.spacing, "mm", path, (), stack.affine, meta)


def _own(dataset: pydicom.Dataset) -> dict[str, Any]:
    """Return the private attributes of this package; empty in files of other programs."""
    try:
        block = dataset.private_block(PRIVATE_GROUP, PRIVATE_CREATOR)
        found = json.loads(str(block[PRIVATE_ELEMENT].value))
    except (KeyError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _slice(frame: Frame, number: int, position: Array) -> Frame:
    none = ((),) * len(DIMENSIONS)
    return replace(frame, index=number, number=number, position=position, dimensions=none)


def _slots(dataset: pydicom.Dataset, frames: list[Frame], own: dict[str, Any]) -> Array:
    """Return the position of each slice of the source, sorted along the normal; shape (n, 3)."""
    upright = _upright(frames[0])
    there = np.array([f.position for f in frames])
    stored = np.array(own.get("positions", ()), float).reshape(-1, 3)
    slots = stored if len(stored) else _referred(dataset, there)
    slots = slots[np.argsort(slots @ upright, kind="stable")]
    if len(slots) and all(np.abs(slots - place).max(axis=1).min() < _AT for place in there):
        return slots
    return _spanned(there, upright, _measure(dataset, "SpacingBetweenSlices"))


def _upright(frame: Frame) -> Array:
    return np.zeros(3) if frame.orientation is None else normal(frame.orientation)


def _referred(dataset: pydicom.Dataset, there: Array) -> Array:
    """Return the positions of the source images, on a line through the frames' positions."""
    series = dataset.get("ReferencedSeriesSequence", None) or []
    groups = (dataset.get("PerFrameFunctionalGroupsSequence", None) or [])[: len(there)]
    try:
        names = [i.ReferencedSOPInstanceUID for s in series for i in s.ReferencedInstanceSequence]
        sources = [g.DerivationImageSequence[0].SourceImageSequence[0] for g in groups]
        numbers = np.array([names.index(s.ReferencedSOPInstanceUID) for s in sources], float)
    except (AttributeError, IndexError, ValueError):
        return np.empty((0, 3))
    if len(set(numbers)) < 2:
        return np.empty((0, 3))
    design = np.stack([numbers, np.ones_like(numbers)], axis=1)
    line = np.linalg.lstsq(design, there, rcond=None)[0]
    every = np.arange(len(names), dtype=float)
    return np.asarray(np.stack([every, np.ones_like(every)], axis=1) @ line)


def _measure(dataset: pydicom.Dataset, keyword: str) -> float:
    """Return a size in mm that all frames share; 0 if the file does not have it."""
    shared = (dataset.get("SharedFunctionalGroupsSequence", None) or [pydicom.Dataset()])[0]
    measures = (shared.get("PixelMeasuresSequence", None) or [pydicom.Dataset()])[0]
    return float(measures.get(keyword, None) or 0)


def _spanned(there: Array, upright: Array, spacing: float) -> Array:
    """Return positions from the first to the last frame, evenly if the file has their distance."""
    order = np.argsort(there @ upright, kind="stable")
    distinct = [there[order[0]]]
    for i in order[1:]:
        if np.dot(there[i] - distinct[-1], upright) > _AT:
            distinct.append(there[i])
    first, last = distinct[0], distinct[-1]
    length = float(np.dot(last - first, upright))
    count = round(length / spacing) if spacing > 0 else 0
    if count < 1:
        return np.array(distinct)
    even = first + np.linspace(0, 1, count + 1)[:, None] * (last - first)
    fits = all(np.abs(even - place).max(axis=1).min() < _AT for place in distinct)
    return even if fits else np.array(distinct)


def _labels(
    dataset: pydicom.Dataset, frames: list[Frame], pixels: Array, slots: Array, path: Path
) -> Array:
    """Draw the frames of all segments on the slices."""
    values = {number: value for value, number in enumerate(_numbers(dataset), 1)}
    dtype = np.min_scalar_type(max(len(values), 1))
    labels = np.zeros((len(slots), *pixels.shape[1:]), dtype)
    for frame, plane in zip(frames, pixels, strict=True):
        target = labels[int(np.abs(slots - frame.position).sum(axis=1).argmin())]
        for number, where in _masks(dataset, frame.index, plane):
            if target[where].any():
                raise DataError(
                    f"{path} has overlapping segments, which labels cannot store; save each "
                    "segment as a separate file."
                )
            target[where] = values[number]
    return labels


def _masks(dataset: pydicom.Dataset, index: int, plane: Array) -> list[tuple[int, Array]]:
    """Return the segments of a frame, by number, and their pixels."""
    if dataset.SegmentationType == "LABELMAP":
        found = [int(v) for v in np.unique(plane) if v in _numbers(dataset)]
        return [(number, plane == number) for number in found]
    groups = (dataset.PerFrameFunctionalGroupsSequence[index],)
    for group in (*groups, *dataset.SharedFunctionalGroupsSequence):
        if "SegmentIdentificationSequence" in group:
            number = int(group.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
            break
    whole = int(dataset.get("MaximumFractionalValue", None) or 1)
    # Half of the largest value: at least half of the pixel, or a probability of 0.5.
    return [(number, plane * 2.0 >= whole)]


def _numbers(dataset: pydicom.Dataset) -> list[int]:
    """Return the numbers of the segments; 0 is a label map's background."""
    return [int(s.SegmentNumber) for s in dataset.SegmentSequence if int(s.SegmentNumber) > 0]


def _categories(dataset: pydicom.Dataset, own: dict[str, Any]) -> list[dict[str, Any]]:
    stored = own.get("categories") or []
    segments = [s for s in dataset.SegmentSequence if int(s.SegmentNumber) > 0]
    if len(stored) == len(segments):
        return list(stored)
    return [
        {"id": int(s.SegmentNumber), "name": str(s.SegmentLabel), "supercategory": ""}
        for s in segments
    ]
