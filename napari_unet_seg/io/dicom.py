"""DICOM series: files in, one volume out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
from pydicom.pixels.utils import pixel_array

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.dicom_frames import Frame, Series, group_series, is_dicom, normal
from napari_unet_seg.io.files import reading
from napari_unet_seg.io.scan import Scan

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = np.ndarray[Any, np.dtype[Any]]

_SAME_PLACE = 0.01
_GAP = 1.1
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def list_series(folder: Path | str) -> tuple[Series, ...]:
    """Return the series of a folder, by series number.

    Files that are not DICOM are passed over; the folders inside are looked at only if the folder
    itself holds no DICOM file.

    Raises
    ------
    DataError
        If there is no DICOM image, or a file is damaged.
    """
    folder = Path(folder)
    with reading(folder, "a folder"):
        paths = [p for p in sorted(folder.iterdir()) if p.is_file() and is_dicom(p)]
        paths = paths or [p for p in sorted(folder.rglob("*")) if p.is_file() and is_dicom(p)]
    series = group_series(paths)
    if not series:
        raise DataError(f"{folder} holds no DICOM images; choose the folder with a series' files.")
    return series


def read_dicom(path: Path | str | Sequence[Path | str], series: str | int | None = None) -> Scan:
    """Read a series as it was acquired: slices sorted along their normal, rows and columns kept.

    The spacing of the slices comes from their positions, the values are rescaled as the file
    says.

    Parameters
    ----------
    path : Path or sequence of Path
        A folder, one file (all its frames), or the files of a series.
    series : str or int, optional
        Which one where there are several: the series number, or the key from `list_series`.

    Returns
    -------
    Scan
        Axes `ZYX` or `ZYXC`, in mm. `affine` maps (column, row, slice) to RAS+;
        `meta["notes"]` reports missing and duplicate slices, `meta["series"]` is the key.

    Raises
    ------
    DataError
        If a file is damaged, or there are several series and none was chosen.
    """
    many = not isinstance(path, str | Path)
    source = Path(next(iter(path))).parent if many else Path(path)  # type: ignore[arg-type]
    if many:
        found = group_series([Path(p) for p in path])  # type: ignore[union-attr]
    else:
        found = list_series(source) if source.is_dir() else group_series([source])
    chosen = _choose(found, series, source)
    frames, notes = _sorted(chosen.frames)
    pixels = _pixels(frames, source)
    step, gaps = _slice_step(frames)
    scan_axes = "ZYXC" if pixels.ndim == 4 else "ZYX"
    thickness = frames[0].thickness if step is None else _along(step, frames[0])
    meta = {"notes": (*notes, *gaps), "series": chosen.key}
    spacing = (thickness, *frames[0].pixel_spacing)
    return Scan(pixels, scan_axes, spacing, "mm", source, (), _affine(frames[0], step), meta)


def _choose(found: tuple[Series, ...], series: str | int | None, source: Path) -> Series:
    chosen = [s for s in found if series is None or str(series) in (s.number, s.key)]
    if len(chosen) == 1:
        return chosen[0]
    if not found:
        raise DataError(f"{source} holds no DICOM image; choose another file.")
    listing = "; ".join(f"{s}, key {s.key}" for s in found)
    wanted = "" if series is None else f" and {len(chosen)} of them match {series}"
    raise DataError(
        f"{source} holds {len(found)} series{wanted}: {listing}; choose one by its number or key, "
        "or put its files into a folder of their own."
    )


def _sorted(frames: tuple[Frame, ...]) -> tuple[list[Frame], list[str]]:
    """Sort along the normal; of frames in one place only the first is kept, and a note says so."""
    if any(f.position is None or f.orientation is None for f in frames):
        ordered = sorted(frames, key=lambda f: (f.number, f.path.name, f.index))
        return ordered, ["The slices have no positions; they are in the order of their numbers."]
    ordered = sorted(frames, key=lambda f: (f.distance, f.number, f.path.name, f.index))
    kept: list[Frame] = []
    doubles: list[str] = []
    for frame in ordered:
        if kept and frame.distance - kept[-1].distance < _SAME_PLACE:
            doubles.append(f"{frame.path.name}" + (f" frame {frame.index}" * bool(frame.index)))
        else:
            kept.append(frame)
    if not doubles:
        return kept, []
    return kept, [
        f"{len(doubles)} slices lie where another one does and were left out: "
        f"{', '.join(doubles[:5])}{' …' * (len(doubles) > 5)}."
    ]


def _slice_step(frames: list[Frame]) -> tuple[Array | None, list[str]]:
    """Return the vector from slice to slice (LPS), and notes on missing slices."""
    first, last = frames[0], frames[-1]
    if len(frames) < 2 or first.position is None or last.position is None:
        return None, []
    if first.orientation is None:
        return None, []
    distances = np.diff([f.distance for f in frames])
    usual = float(np.median(distances))
    gaps = [
        f"Slices seem to be missing between {a.path.name} and {b.path.name}: they are {d:.3g} mm "
        f"apart and the others {usual:.3g} mm."
        for a, b, d in zip(frames, frames[1:], distances, strict=False)
        if d > usual * _GAP
    ]
    step = (last.position - first.position) / (len(frames) - 1)
    if gaps:
        step = step * (usual / np.dot(step, normal(first.orientation)))
    return step, gaps


def _along(step: Array, frame: Frame) -> float:
    if frame.orientation is None:
        return frame.thickness
    return float(np.dot(step, normal(frame.orientation)))


def _affine(frame: Frame, step: Array | None) -> Array | None:
    if frame.position is None or frame.orientation is None:
        return None
    if step is None:
        step = normal(frame.orientation) * frame.thickness
    lps = np.eye(4)
    lps[:3, 0] = frame.orientation[0] * frame.pixel_spacing[1]
    lps[:3, 1] = frame.orientation[1] * frame.pixel_spacing[0]
    lps[:3, 2] = step
    lps[:3, 3] = frame.position
    return np.asarray(_LPS_TO_RAS @ lps)


def _pixels(frames: list[Frame], source: Path) -> Array:
    files: dict[Path, Array] = {}
    slices = []
    for frame in frames:
        if frame.path not in files:
            files = {frame.path: _decode(frame.path)}
        slices.append(files[frame.path][frame.index])
    if len({s.shape for s in slices}) > 1:
        raise DataError(f"{source} mixes grey and coloured slices; choose the files of one kind.")
    dtype = _rescaled_dtype(frames, slices[0].dtype)
    if dtype == slices[0].dtype:
        return np.stack(slices)
    scales = [(f.slope, f.intercept) for f in frames]
    return np.stack([(s * a + b).astype(dtype) for s, (a, b) in zip(slices, scales, strict=True)])


def _decode(path: Path) -> Array:
    """Return all frames of a file."""
    with reading(path, "DICOM"):
        dataset = pydicom.dcmread(path, force=True)
        array = np.asarray(pixel_array(dataset))
        single = int(dataset.get("NumberOfFrames", None) or 1) == 1
    return array[None] if single else array


def _rescaled_dtype(frames: list[Frame], stored: np.dtype[Any]) -> np.dtype[Any]:
    scales = {(f.slope, f.intercept) for f in frames}
    if scales == {(1.0, 0.0)}:
        return stored
    whole = all(slope.is_integer() and intercept.is_integer() for slope, intercept in scales)
    return np.dtype(np.int32 if whole and stored.kind in "iu" else np.float32)
