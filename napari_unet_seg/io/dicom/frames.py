"""Frames of classic and enhanced DICOM files: position, orientation and rescaling.

Positions, directions and distances follow DICOM PS3.3 C.7.6.2 (Image Plane Module) and, for
multi-frame files, C.7.6.16 (Functional Groups).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.steps import result_of
from napari_unet_seg.io.dicom.files import kind_of, open_dataset
from napari_unet_seg.io.dicom.frame_dimensions import read_dimensions, read_moments
from napari_unet_seg.io.dicom.pixels import frame_count
from napari_unet_seg.io.dicom.windows import windows_of
from napari_unet_seg.io.disk.files import reading

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    import pydicom

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.common.window import FileWindow


SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
"""SOP classes of masks: Segmentation Storage and Label Map Segmentation Storage (PS3.4 B.5)."""

_PARALLEL = 1e-3
"""Largest difference between direction cosines of the slices of one stack."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One slice of a series."""

    path: Path
    index: int
    """Number of the frame in its file."""
    number: int
    """Instance number, which gives the order of frames without positions."""
    shape: tuple[int, int]
    position: Array | None
    """Centre of the first voxel in patient coordinates (LPS), mm."""
    orientation: Array | None
    """Direction of growing columns, and of growing rows; shape (2, 3)."""
    pixel_spacing: tuple[float, float]
    """Distance between rows, and between columns, in mm."""
    thickness: float
    slope: float
    intercept: float
    dimensions: tuple[tuple[Any, ...], ...]
    """Values of `frame_dimensions.DIMENSIONS`."""
    moments: tuple[Any, ...]
    """Values of `frame_dimensions.MOMENTS`."""
    location: float | None
    """Place along the normal in mm, of files that may lack a position."""
    multiple: bool
    """Whether the file holds several frames."""
    windows: tuple[FileWindow, ...] = ()
    """Windows that the file proposes, in rescaled values."""

    @property
    def name(self) -> str:
        """Name of the frame for messages."""
        return self.path.name + (f" frame {self.index + 1}" if self.multiple else "")


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """The frames of one series that share orientation and size, unsorted."""

    key: str
    """Series UID; followed by `#2` and so on if a series holds several orientations or sizes."""
    number: str
    description: str
    modality: str
    frames: tuple[Frame, ...]

    @property
    def size(self) -> tuple[int, int]:
        """Number of rows and columns of every slice."""
        return self.frames[0].shape

    def __str__(self) -> str:
        return f"{self.number} {self.description!r} ({self.modality}, {len(self.frames)} slices)"


def normal(orientation: Array) -> Array:
    """Return the normal of the slices, the direction in which they are stacked, of length 1."""
    return np.cross(orientation[0], orientation[1])


def group_series(paths: list[Path]) -> tuple[Series, ...]:
    """Read the headers of DICOM files and group their frames into series.

    DICOM SEG files are skipped: they are masks, and often in the folder of their source.

    Raises
    ------
    DataError
        If a file is damaged.
    """
    return result_of(grouping_series(paths))


def grouping_series(paths: list[Path]) -> Generator[Path, Any, tuple[Series, ...]]:
    """Group files as `group_series`, and yield each when its header has been read."""
    stacks: list[tuple[str, list[Frame]]] = []
    names: dict[str, tuple[str, str, str]] = {}
    for path in paths:
        header = _header(path)
        yield path
        if header is None:
            continue
        with reading(path, "DICOM"):
            uid = str(header.get("SeriesInstanceUID", ""))
            names.setdefault(uid, _names(header))
            for frame in frames_of(header, path):
                _stack_of(stacks, uid, frame).append(frame)
    seen: dict[str, int] = {}
    series = []
    for uid, frames in stacks:
        seen[uid] = seen.get(uid, 0) + 1
        key = uid if seen[uid] == 1 else f"{uid}#{seen[uid]}"
        series.append(Series(key, *names[uid], tuple(frames)))
    return tuple(sorted(series, key=lambda s: (s.number.zfill(12), s.key)))


def _stack_of(stacks: list[tuple[str, list[Frame]]], uid: str, frame: Frame) -> list[Frame]:
    """Return the frames of the series, grid and orientation of a frame."""
    for series_uid, frames in reversed(stacks):
        first = frames[0]
        alike = (series_uid, first.shape) == (uid, frame.shape) and _parallel(first, frame)
        if alike and np.allclose(first.pixel_spacing, frame.pixel_spacing, rtol=1e-3):
            return frames
    stacks.append((uid, []))
    return stacks[-1][1]


def _parallel(one: Frame, other: Frame) -> bool:
    if one.orientation is None or other.orientation is None:
        return one.orientation is other.orientation
    return bool(np.abs(one.orientation - other.orientation).max() < _PARALLEL)


def _names(header: pydicom.Dataset) -> tuple[str, str, str]:
    """Return number, description and modality of a series."""
    number = header.get("SeriesNumber", None)
    description, modality = header.get("SeriesDescription", ""), header.get("Modality", "")
    return str(number or "0"), str(description), str(modality)


def _header(path: Path) -> pydicom.Dataset | None:
    """Return the header of a file with an image; None for other files, such as a DICOMDIR."""
    with reading(path, "DICOM"):
        header = open_dataset(path, stop_before_pixels=True)
        kind = kind_of(header)
    if kind in SEGMENTATIONS:
        return None
    if "Rows" in header and "Columns" in header:
        return header
    if kind and "Image" not in kind.name:
        return None
    raise DataError(
        f"{path} holds no DICOM image, or is truncated; copy it again, or remove it from its "
        "folder."
    )


def frames_of(header: pydicom.Dataset, path: Path) -> list[Frame]:
    """Return the frames of a file in the order of the file, from its header."""
    count = frame_count(header)
    if count > path.stat().st_size:
        raise DataError(f"{path} is damaged (its header claims {count} frames); copy it again.")
    shared = _first(header, "SharedFunctionalGroupsSequence")
    each = header.get("PerFrameFunctionalGroupsSequence", None) or []
    frames = [
        _frame(header, path, i, [each[i] if i < len(each) else None, shared]) for i in range(count)
    ]
    return frames if each else _spread(frames, header)


def _spread(frames: list[Frame], header: pydicom.Dataset) -> list[Frame]:
    """Move frames that share the position of their file along the normal, by their distance.

    The distances are those of GridFrameOffsetVector (PS3.3 C.8.8.3.2), else the distance of the
    slices. Frames of a film stay where they are.
    """
    first = frames[0]
    is_film = "FrameTime" in header or "FrameTimeVector" in header
    if first.position is None or first.orientation is None or is_film:
        return frames
    offsets = _numbers(header.get("GridFrameOffsetVector", None), len(frames))
    if offsets is None:
        offsets = np.arange(len(frames)) * first.thickness
    steps = (offsets - offsets[0])[:, None] * normal(first.orientation)
    return [replace(f, position=first.position + s) for f, s in zip(frames, steps, strict=True)]


def _frame(header: pydicom.Dataset, path: Path, index: int, groups: list[Any]) -> Frame:
    def read(sequence: str, keyword: str) -> Any:
        for group in groups if sequence else ():
            item = _first(group, sequence)
            if item is not None and item.get(keyword, None) not in (None, ""):
                return item.get(keyword)
        value = header.get(keyword, None)
        return None if value == "" else value

    spacing = read("PixelMeasuresSequence", "PixelSpacing") or header.get("ImagerPixelSpacing", ())
    thickness = read("PixelMeasuresSequence", "SpacingBetweenSlices") or read(
        "PixelMeasuresSequence", "SliceThickness"
    )
    slope = read("PixelValueTransformationSequence", "RescaleSlope")
    intercept = read("PixelValueTransformationSequence", "RescaleIntercept")
    orientation = _numbers(read("PlaneOrientationSequence", "ImageOrientationPatient"), 6)
    sizes = _numbers(spacing, 2)
    number = int(header.get("InstanceNumber", None) or 0)
    location = read("", "SliceLocation")
    slope = 1.0 if slope is None else float(slope)
    intercept = 0.0 if intercept is None else float(intercept)
    return Frame(
        path,
        index,
        number,
        (int(header.Rows), int(header.Columns)),
        _numbers(read("PlanePositionSequence", "ImagePositionPatient"), 3),
        None if orientation is None else _unit_vectors(orientation.reshape(2, 3)),
        (1.0, 1.0) if sizes is None or min(sizes) <= 0 else (float(sizes[0]), float(sizes[1])),
        abs(float(thickness or 0)) or 1.0,
        slope,
        intercept,
        read_dimensions(read),
        read_moments(read, number, index),
        None if location is None else float(location),
        frame_count(header) > 1,
        windows_of(header, read, slope, intercept),
    )


def _first(dataset: Any, keyword: str) -> Any:
    items = dataset.get(keyword, None) if dataset is not None else None
    return items[0] if items else None


def _numbers(value: Any, count: int) -> Array | None:
    if value is None or len(value) != count:
        return None
    numbers = np.array([float(v) for v in value])
    return numbers if np.isfinite(numbers).all() else None


def _unit_vectors(orientation: Array) -> Array | None:
    lengths = np.linalg.norm(orientation, axis=1, keepdims=True)
    if (lengths < 1e-6).any() or np.linalg.norm(normal(orientation)) < 1e-6:
        return None
    return np.asarray(orientation / lengths)
