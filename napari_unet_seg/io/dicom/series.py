"""Reading of DICOM series as scans."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.grids.placement import plane_of
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.common.window import WINDOWS
from napari_unet_seg.io.dicom.files import open_dataset, what_is
from napari_unet_seg.io.dicom.frame_dimensions import DIMENSIONS
from napari_unet_seg.io.dicom.frames import Frame, Series, group_series
from napari_unet_seg.io.dicom.pixels import decode
from napari_unet_seg.io.dicom.signature import dicom_files, dicom_files_below, is_directory_file
from napari_unet_seg.io.dicom.stack import Stack, arrange
from napari_unet_seg.io.disk.files import reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg.arrays import Array

_PLANE_NOTE = (
    "The slices are {plane} and are segmented as they were acquired; a NIfTI file of the scan is "
    "turned upright and segmented in axial slices, so convert the series with dcm2niix for these."
)


def list_series(folder: Path | str) -> tuple[Series, ...]:
    """Return the series of a folder, sorted by series number.

    Files other than DICOM, hidden files, and DICOM files without images are skipped. Subfolders
    are searched only if the folder itself holds no DICOM image.

    Raises
    ------
    DataError
        If the folder holds no DICOM image, or a file is damaged.
    """
    folder = Path(folder)
    with reading(folder, "a folder"):
        series = group_series(dicom_files(folder)) or group_series(dicom_files_below(folder))
    if not series:
        raise DataError(f"{folder} holds no DICOM images; choose the folder with a series' files.")
    return series


def read_dicom(path: Path | str | Sequence[Path | str], series: str | int | None = None) -> Scan:
    """Read a series as it was acquired: slices sorted along their normal, rows and columns kept.

    The spacing of the slices is computed from their positions. Values are rescaled by slope and
    intercept of each file or frame. Stored values of MONOCHROME1, where high values are dark
    (PS3.3 C.7.6.3.1.2), are inverted first, so that high values are bright.

    Parameters
    ----------
    path : Path or sequence of Path
        A folder, one file (all its frames), or the files of a series. The directory of a disk
        (DICOMDIR) stands for its folder.
    series : str or int, optional
        Series number, or key from `list_series`, if there are several series.

    Returns
    -------
    Scan
        Axes `ZYX`, or `TZYX` if there are several times, echoes, b-values or image types at each
        position; `C` last for colours; in mm. `affine` maps (column, row, slice) to RAS+.
        `meta["notes"]` reports missing, uneven and duplicate slices; `meta["series"]` is the key;
        `meta["slices"]` is the file and frame of every slice, in the order of the array;
        `meta["positions"]` are the positions along Z (LPS, mm), empty if unknown.

    Raises
    ------
    DataError
        If a file is damaged, there are several series and none is chosen, or the slices of the
        series are not a stack.
    """
    many = not isinstance(path, str | Path)
    source = Path(next(iter(path))).parent if many else Path(path)  # type: ignore[arg-type]
    source = source.parent if is_directory_file(source) else source
    if many:
        found = group_series([Path(p) for p in path])  # type: ignore[union-attr]
    else:
        found = list_series(source) if source.is_dir() else group_series([source])
    return read_series(choose_series(found, series, source), source)


def read_series(series: Series, source: Path) -> Scan:
    """Read one of the series that `list_series` found in `source`; see `read_dicom`."""
    stack = arrange(series.frames, source)
    frames = [frame for volume in stack.volumes for frame in volume]
    pixels = _pixels(frames, source)
    times = len(stack.volumes)
    if times > 1:
        pixels = pixels.reshape(times, -1, *pixels.shape[1:])
    axes = "T" * (times > 1) + "ZYX" + "C" * (pixels.ndim > 3 + (times > 1))
    meta = {
        "notes": (*_mosaic_note(stack), *stack.notes),
        "series": series.key,
        "slices": tuple((frame.path, frame.index) for frame in frames),
        "positions": stack.positions,
        # Those of the middle, since scanners choose them for each slice.
        WINDOWS: frames[len(frames) // 2].windows,
    }
    spacing = (1.0,) * (times > 1) + stack.spacing
    scan = Scan(pixels, axes, spacing, "mm", source, (), stack.affine, meta)
    if len(stack.volumes[0]) > 1 and (plane := plane_of(scan)) not in ("", "axial"):
        scan.meta["notes"] += (_PLANE_NOTE.format(plane=plane),)
    return scan


def _mosaic_note(stack: Stack) -> tuple[str, ...]:
    """Report images that seem to hold the slices of a volume side by side.

    Some scanners write the type of a mosaic into single slices too, which have several positions.
    """
    slices = stack.volumes[0]
    if len(slices) > 1 or "MOSAIC" not in slices[0].dimensions[DIMENSIONS.index("image type")]:
        return ()
    return (
        f"{slices[0].name} seems to be a Siemens mosaic, which holds many slices side by side; "
        "convert the series with dcm2niix, and open the NIfTI file.",
    )


def choose_series(found: tuple[Series, ...], series: str | int | None, source: Path) -> Series:
    """Return the only series in `source`, or the series of a number or key.

    Raises
    ------
    DataError
        If there is no series or more than one; the message lists them.
    """
    chosen = [s for s in found if series is None or str(series) in (s.number, s.key)]
    if len(chosen) == 1:
        return chosen[0]
    if not found:
        raise DataError(f"{source} holds no image{what_is(source)}; choose another file.")
    listing = "; ".join(f"{s}, key {s.key}" for s in found)
    wanted = "" if series is None else f" and {len(chosen)} of them match {series}"
    raise DataError(
        f"{source} holds {len(found)} series{wanted}: {listing}; choose one by its number or key, "
        "or move its files to a folder of their own."
    )


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
        dataset = open_dataset(path)
        array = decode(dataset, path)
        if dataset.get("PhotometricInterpretation", "") == "MONOCHROME1":
            array = _inverted(array, int(dataset.BitsStored))
    return array


def _inverted(array: Array, bits: int) -> Array:
    """Invert stored values within the range of `bits`."""
    highest = -1 if array.dtype.kind == "i" else (1 << bits) - 1
    return np.asarray(highest - array, array.dtype)


def _rescaled_dtype(frames: list[Frame], stored: np.dtype[Any]) -> np.dtype[Any]:
    scales = {(f.slope, f.intercept) for f in frames}
    if scales == {(1.0, 0.0)}:
        return stored
    whole = all(slope.is_integer() and intercept.is_integer() for slope, intercept in scales)
    return np.dtype(np.int32 if whole and stored.kind in "iu" else np.float32)
