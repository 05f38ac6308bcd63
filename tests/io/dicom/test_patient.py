"""What a DICOM SEG says of its patient, and that other masks say nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from dicom_files import write_series

from napari_unet_seg.config import Category
from napari_unet_seg.io.dicom.patient import REQUIRED
from napari_unet_seg.io.provenance import provenance
from napari_unet_seg.io.read import read_scan
from napari_unet_seg.io.write import write_mask

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.io.common.scan import Scan

NEEDED = {
    "PatientID": "0815",
    "PatientName": "Muster^Erika",
    "PatientBirthDate": "19700203",
    "PatientSex": "F",
    "AccessionNumber": "ACC17",
    "ReferringPhysicianName": "Referring^Doctor",
    "StudyID": "STUDY18",
    "StudyDate": "20200304",
    "StudyTime": "101112",
}
"""Required by the standard (types 1 and 2), which `REQUIRED` must be."""
SURPLUS = (
    "PatientComments InstitutionName InstitutionAddress StationName InstitutionalDepartmentName "
    "StudyDescription PhysiciansOfRecord NameOfPhysiciansReadingStudy OperatorsName "
    "PerformingPhysicianName AdmittingDiagnosesDescription AdditionalPatientHistory Occupation "
    "PatientAddress OtherPatientIDs EthnicGroup MedicalAlerts RequestingService "
    "ClinicalTrialSponsorName ClinicalTrialSubjectID PatientBirthName ProtocolName"
).split()


@pytest.fixture
def scan(tmp_path: Path) -> Scan:
    surplus = {keyword: f"surplus{i}" for i, keyword in enumerate(SURPLUS)}
    return read_scan(write_series(tmp_path / "Muster Erika", [0.0, 2.0], **NEEDED, **surplus))


def write(path: Path, scan: Scan, **options: Any) -> Path:
    labels = np.zeros(scan.grid_shape, np.uint8)
    labels[0, 3:5, 4:6] = 1
    described = provenance(scan.path, [Category(id=1, name="lesion")], {"path": "/home/me/m"})
    write_mask(path, labels, scan, described, **options)
    return path


def test_a_seg_says_of_the_patient_what_the_standard_requires(tmp_path: Path, scan: Scan) -> None:
    seg = pydicom.dcmread(write(tmp_path / "m.dcm", scan))
    assert {keyword: str(seg.get(keyword)) for keyword in REQUIRED} == NEEDED
    assert "surplus" not in str(seg)
    assert set(SURPLUS).isdisjoint(seg.dir())
    assert "PatientIdentityRemoved" not in seg


def test_a_deidentified_seg_says_nothing_of_the_patient(tmp_path: Path, scan: Scan) -> None:
    path = write(tmp_path / "m.dcm", scan, identified=False)
    seg = pydicom.dcmread(path)
    assert {keyword: str(seg[keyword].value or "") for keyword in REQUIRED} == dict.fromkeys(
        NEEDED, ""
    )
    assert seg.PatientIdentityRemoved == "YES"
    content = path.read_bytes()
    for value in (*NEEDED.values(), "surplus", "Muster"):
        if value != "F":
            assert value.encode() not in content
    # It still belongs to its scan.
    assert seg.StudyInstanceUID == "1.2.1"
    again = read_scan(path)
    assert again.data[0, 3:5, 4:6].all() and again.data.sum() == 4


@pytest.mark.parametrize("suffix", [".nii.gz", ".tif", ".zarr", ".dcm"])
def test_masks_hold_no_folder_of_this_machine(tmp_path: Path, scan: Scan, suffix: str) -> None:
    path = write(tmp_path / f"m{suffix}", scan)
    described = read_scan(path).meta["description"]
    assert str(tmp_path) not in str(described)
    assert described["model"] == "m"
    assert described.get("source") == (None if suffix == ".dcm" else "Muster Erika")
    assert len(described["source_sha256"]) == 64
