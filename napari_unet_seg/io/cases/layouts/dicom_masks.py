"""Masks in DICOM SEG among the files of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from napari_unet_seg.io.cases.case import LeftOut, Source
from napari_unet_seg.io.common.names import free_name
from napari_unet_seg.io.disk.files import is_backup, reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from napari_unet_seg.io.dicom.frames import Series


class StudyMask(NamedTuple):
    """A file of masks, and the study that its header names."""

    path: Path
    patient: str
    study: str


def study_masks(files: Iterable[Path], series: Iterable[Series]) -> list[StudyMask]:
    """Return the DICOM SEG files among files, those of images left aside.

    Raises
    ------
    DataError
        If a file is damaged.
    """
    from napari_unet_seg.io.dicom.files import open_dataset
    from napari_unet_seg.io.dicom.seg_read import is_seg

    images = {frame.path for each in series for frame in each.frames}
    found = []
    for path in files:
        if path in images or is_backup(path) or not is_seg(path):
            continue
        with reading(path, "DICOM"):
            tags = ["PatientID", "StudyInstanceUID"]
            header = open_dataset(path, stop_before_pixels=True, specific_tags=tags)
        found.append(StudyMask(path, *(str(header.get(tag, "")) for tag in tags)))
    return found


def masks_of(masks: Sequence[StudyMask], patient: str, study: str) -> dict[str, Source]:
    """Return the masks of a study by name."""
    found: dict[str, Source] = {}
    for mask in masks:
        if (mask.patient, mask.study) == (patient, study):
            name = free_name("mask", found, " ")
            found[name] = Source((mask.path,), why="a DICOM SEG of the study")
    return found


def without_study(masks: Sequence[StudyMask], known: set[tuple[str, str]]) -> list[LeftOut]:
    """Return the masks of which no series is here."""
    reason = "a mask whose series is not here"
    alone = [mask for mask in masks if (mask.patient, mask.study) not in known]
    return [LeftOut(mask.path, reason, is_mask=True) for mask in alone]
