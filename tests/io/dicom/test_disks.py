"""DICOM as disks and archives hold it: folders, directories of disks, files without preamble."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pydicom
import pytest
from dicom_files import write_series
from pydicom.data import get_testdata_file

from napari_unet_seg._napari.files.reader import dicom_reader
from napari_unet_seg.cli._inputs import list_inputs
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.cases.plan import plan_folder
from napari_unet_seg.io.cases.scans import scans_of
from napari_unet_seg.io.dicom.series import read_dicom
from napari_unet_seg.io.dicom.signature import is_dicom
from napari_unet_seg.io.hashing import sha256
from napari_unet_seg.io.read import read_scan

if TYPE_CHECKING:
    from pathlib import Path

ZS = [0.0, 2.0, 4.0]


@pytest.fixture
def series(tmp_path: Path) -> Path:
    return write_series(tmp_path / "series", ZS)


def scans_in(folder: Path) -> list[Path]:
    return [scan.path for scan in scans_of(plan_folder(folder))]


def nested(series: Path, study: Path) -> Path:
    (study / "ST0").mkdir(parents=True)
    shutil.copytree(series, study / "ST0" / "SE0")
    return study


def on_disk(series: Path, study: Path) -> Path:
    """Images in folders below their directory."""
    nested(series, study)
    shutil.copy(get_testdata_file("DICOMDIR"), study / "DICOMDIR")
    return study


def with_attributes(series: Path, study: Path) -> Path:
    shutil.copytree(series, study)
    (study / "._3-0.dcm").write_bytes(b"\0\5\x16\7" + bytes(300))
    return study


def with_report_above(series: Path, study: Path) -> Path:
    nested(series, study)
    shutil.copy(get_testdata_file("test-SR.dcm"), study / "report.dcm")
    return study


@pytest.mark.parametrize("make", [nested, on_disk, with_attributes, with_report_above])
def test_a_series_is_found_wherever_it_lies(series: Path, tmp_path: Path, make: object) -> None:
    study = make(series, tmp_path / "study")  # type: ignore[operator]
    np.testing.assert_array_equal(read_scan(study).data, read_scan(series).data)
    assert scans_in(study) == [study]
    assert [item.path for item in list_inputs([study])[0]] == [study]
    assert dicom_reader(str(study)) is not None
    assert study in scans_in(tmp_path)


def test_the_directory_of_a_disk_stands_for_its_folder(series: Path, tmp_path: Path) -> None:
    study = on_disk(series, tmp_path / "study")
    scan = read_scan(study / "DICOMDIR")
    assert scan.path == study
    np.testing.assert_array_equal(scan.data, read_scan(series).data)
    (found,), failed = list_inputs([study / "DICOMDIR"])
    assert (found.path, found.name, failed) == (study, "study", [])


def test_the_scans_of_a_folder_are_the_studies_in_it(series: Path, tmp_path: Path) -> None:
    patients = tmp_path / "patients"
    expected = [nested(series, patients / name) for name in ("a", "b")]
    (patients / ".hidden").mkdir()
    shutil.copy(series / "3-0.dcm", patients / ".hidden")
    assert scans_in(patients) == expected


def test_one_of_several_nested_series_is_chosen(series: Path, tmp_path: Path) -> None:
    study = nested(series, tmp_path / "study")
    write_series(study / "ST0" / "SE1", [0.0], number=12)
    assert read_scan(study, "12").data.shape == (1, 16, 16)
    with pytest.raises(DataError, match=r"2 series.*choose one by its number"):
        read_scan(study)


def test_the_hash_of_a_study_follows_its_files(series: Path, tmp_path: Path) -> None:
    study = nested(series, tmp_path / "study")
    before = sha256(study)
    write_series(study / "ST0" / "SE0", ZS, PatientID="other")
    assert sha256(study) != before


@pytest.mark.parametrize("suffix", [".IMA", ".dcm", "", ".12"])
@pytest.mark.parametrize(("implicit", "little"), [(True, True), (False, True), (False, False)])
def test_files_without_preamble(
    series: Path, tmp_path: Path, suffix: str, implicit: bool, little: bool
) -> None:
    folder = tmp_path / "raw"
    folder.mkdir()
    for path in series.iterdir():
        ds = pydicom.dcmread(path)
        if not little:
            ds.PixelData = np.frombuffer(ds.PixelData, "<u2").astype(">u2").tobytes()
        del ds.file_meta, ds.preamble
        named = folder / f"MR{path.stem}{suffix}"
        pydicom.dcmwrite(named, ds, implicit_vr=implicit, little_endian=little)
        assert not named.read_bytes()[128:].startswith(b"DICM")
    assert scans_in(folder) == [folder]
    np.testing.assert_array_equal(read_dicom(folder).data, read_dicom(series).data)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x08\x00",
        b"# Notes" + b" text" * 50,
        bytes(500),
        b"PK\x03\x04" + bytes(300),
        b"\x08\x00\x05\x00" + b"\xff" * 200,
        b"\0\5\x16\7" + bytes(124) + b"junk",
    ],
)
def test_other_files_are_not_taken_for_dicom(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    assert not is_dicom(tmp_path / "file")
