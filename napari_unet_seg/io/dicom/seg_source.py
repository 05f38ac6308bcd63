"""Source images of a DICOM SEG, prepared for `highdicom`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom import Dataset
from pydicom.valuerep import format_number_as_ds

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.dicom.files import open_dataset
from napari_unet_seg.io.dicom.frames import frames_of, group_series
from napari_unet_seg.io.dicom.patient import REQUIRED
from napari_unet_seg.io.dicom.signature import dicom_files
from napari_unet_seg.io.dicom.stack import arrange
from napari_unet_seg.io.disk.files import reading

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.io.dicom.frames import Frame

_SAME_PLACE = 0.05
"""Distance in mm below which two slices have the same position."""
_NEEDED = ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")


def source_images(path: Path, like: Scan) -> tuple[list[int], list[Dataset]]:
    """Return the headers of the images that a scan was read from, prepared for a SEG.

    Parameters
    ----------
    path : Path
        File of the mask, for messages.
    like : Scan
        From `read_dicom`; or from `read_seg`, if the SEG is in the folder of its series.

    Returns
    -------
    order : list of int
        Index of each slice of the scan in the images: of a file, or of a frame of the multi-frame
        file.
    images : list of Dataset
        One image per slice, or one multi-frame image.

    Raises
    ------
    DataError
        If the scan is not a DICOM stack, or a file is missing, has changed, or lacks an attribute
        that a SEG refers to.
    """
    slices: tuple[tuple[Path, int], ...] = like.meta.get("slices") or _sibling_images(like)
    name = like.path if like.path is not None else "the image"
    if not slices:
        folder = " and is not in the folder of one" * ("source_series" in like.meta)
        raise _refusal(path, f"{name} is not a DICOM series that a SEG could refer to{folder}")
    if like.grid_axes != "ZYX":
        raise _refusal(path, f"{name} has several times or echoes at each position")
    if like.affine is None:
        raise _refusal(path, f"the slices of {name} have no positions")
    files = list(dict.fromkeys(file for file, _ in slices))
    headers = [_header(path, file) for file in files]
    frames = [frames_of(h, f) for h, f in zip(headers, files, strict=True)]
    if [len(f) for f in frames] == [1] * len(slices) and not _enhanced(headers[0]):
        for header, (frame,) in zip(headers, frames, strict=True):
            _prepare_single(header, frame, frames[0][0])
        return list(range(len(slices))), headers
    if len(files) > 1 or len(frames[0]) != len(slices) or not _enhanced(headers[0]):
        raise _refusal(
            path, f"a SEG refers to single images or to all of one multi-frame file, not to {name}"
        )
    _prepare_multiple(headers[0], frames[0])
    return [index for _, index in slices], headers


def _sibling_images(like: Scan) -> tuple[tuple[Path, int], ...]:
    """Find the source images of a mask from a DICOM SEG in the folder of the SEG."""
    wanted = like.meta.get("source_series")
    if not wanted or like.path is None:
        return ()
    places = np.array(like.meta["positions"])
    for series in group_series(dicom_files(like.path.parent)):
        if series.key.partition("#")[0] not in wanted:
            continue
        stack = arrange(series.frames, like.path.parent)
        found = np.array(stack.positions)
        if len(stack.volumes) == 1 and found.shape == places.shape:
            if np.allclose(found, places, atol=_SAME_PLACE):
                return tuple((frame.path, frame.index) for frame in stack.volumes[0])
    return ()


def _refusal(path: Path, reason: str) -> DataError:
    return DataError(f"{path} was not written, since {reason}; save the mask as .nii.gz or .tif.")


def _header(path: Path, file: Path) -> Dataset:
    with reading(file, "DICOM"):
        header = open_dataset(file, stop_before_pixels=True)
    for keyword in _NEEDED:
        if not header.get(keyword, ""):
            raise _refusal(path, f"{file} has no {keyword}, which it must refer to")
    for keyword in REQUIRED:  # some files lack them
        if keyword not in header:
            setattr(header, keyword, "")
    if header.PatientSex not in ("M", "F", "O"):
        header.PatientSex = ""
    return header


def _enhanced(header: Dataset) -> bool:
    return "SharedFunctionalGroupsSequence" in header


def _prepare_single(header: Dataset, frame: Frame, first: Frame) -> None:
    """Set equal directions in all images, and the spacing from the positions."""
    header.ImageOrientationPatient = _numbers(_vectors(first))
    header.ImagePositionPatient = _numbers(frame.position)
    header.PixelSpacing = _numbers(first.pixel_spacing)
    header.SliceThickness = _thickness(header.get("SliceThickness", None), first)
    header.pop("SpacingBetweenSlices", None)


def _prepare_multiple(header: Dataset, frames: list[Frame]) -> None:
    """Move directions and distances to the shared functional groups, as `highdicom` expects."""
    first, shared = frames[0], Dataset()
    orientation, measures = Dataset(), Dataset()
    orientation.ImageOrientationPatient = _numbers(_vectors(first))
    measures.PixelSpacing = _numbers(first.pixel_spacing)
    measures.SliceThickness = _thickness(None, first)
    shared.PlaneOrientationSequence = [orientation]
    shared.PixelMeasuresSequence = [measures]
    header.SharedFunctionalGroupsSequence = [shared]
    groups = []
    for frame in frames:
        plane, group = Dataset(), Dataset()
        plane.ImagePositionPatient = _numbers(frame.position)
        group.PlanePositionSequence = [plane]
        groups.append(group)
    header.PerFrameFunctionalGroupsSequence = groups


def _vectors(frame: Frame) -> Any:
    return None if frame.orientation is None else frame.orientation.ravel()


def _thickness(stored: Any, frame: Frame) -> str:
    return format_number_as_ds(abs(float(stored or 0)) or frame.thickness)


def _numbers(values: Any) -> list[str]:
    """Format numbers as decimal strings of at most 16 characters (PS3.5 6.2)."""
    return [format_number_as_ds(float(v)) for v in values]
