"""What a DICOM SEG says of its patient and study.

`highdicom` copies all that the source images say, also comments and the institution. The standard
requires a few attributes (type 1 and 2 of the Patient and the General Study Module, PS3.3 C.7.1.1
and C.7.2.1), of which only the study's UID must have a value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.datadict import tag_for_keyword

if TYPE_CHECKING:
    from pydicom import Dataset

REQUIRED = (
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "AccessionNumber",
    "ReferringPhysicianName",
    "StudyID",
    "StudyDate",
    "StudyTime",
)
"""Attributes of type 2: they must be there, and may be empty."""

_OF_THE_OBJECT = (
    "SpecificCharacterSet",
    "ImageType",
    "InstanceCreationDate",
    "InstanceCreationTime",
    "SOPClassUID",
    "SOPInstanceUID",
    "ContentDate",
    "ContentTime",
    "Modality",
    "Manufacturer",
    "SeriesDescription",
    "ManufacturerModelName",
    "ReferencedSeriesSequence",
    "SourceImageSequence",
    "AcquisitionContextSequence",
)
_KEPT = {tag_for_keyword(keyword) for keyword in (*REQUIRED, *_OF_THE_OBJECT)}
_IDENTIFYING = (0x0008, 0x0010, 0x0012, 0x0032, 0x0038, 0x0040)
"""Groups of attributes of identification, patient, trial, request, visit and procedure."""
_METHOD = "Patient and study are empty; the UIDs of the source stay"


def keep_required(seg: Dataset) -> None:
    """Remove what the standard does not require of patient and study."""
    for tag in list(seg.keys()):
        if tag.group in _IDENTIFYING and tag not in _KEPT:
            del seg[tag]


def deidentify(seg: Dataset) -> None:
    """Empty the attributes of patient and study.

    The references to the source images stay: without them the masks belong to no scan. Who has the
    source images, can find the patient by them.
    """
    for keyword in REQUIRED:
        setattr(seg, keyword, "")
    seg.PatientIdentityRemoved, seg.DeidentificationMethod = "YES", _METHOD
