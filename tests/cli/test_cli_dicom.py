"""Program and sessions on DICOM: which series, what is wrong with it, masks as DICOM SEG."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import nibabel
import numpy as np
import pydicom
import pytest
from dicom_files import write_series

from napari_unet_seg.cli import main
from napari_unet_seg.config import Category
from napari_unet_seg.io.dicom.series import read_dicom
from napari_unet_seg.io.read import read_labels
from napari_unet_seg.io.write import write_mask
from napari_unet_seg.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TINY = ("--set", "threads=1", "--set", "precision=float32", "--device", "cpu")
NAMES = {"categories": [{"id": 1, "name": "c0"}, {"id": 2, "name": "c1"}]}


def predict(*arguments: object) -> int:
    return main([str(a) for a in ("predict", *arguments, *TINY)])


def test_a_mask_as_dicom_seg(
    make_checkpoint: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scan = write_series(tmp_path / "scan", [4, 0, 2])
    model = make_checkpoint(classes=2)
    arguments = (scan, "--model", model, "--out", tmp_path / "m", "--format", "dcm", "--json")
    assert predict(*arguments) == 0
    told = json.loads(capsys.readouterr().out)
    (result,) = told["results"]
    assert result["mask"] == str(tmp_path / "m" / "scan.dcm")
    seg = pydicom.dcmread(result["mask"])
    assert [s.SegmentLabel for s in seg.SegmentSequence] == ["c0", "c1"]
    assert {s.SegmentAlgorithmType for s in seg.SegmentSequence} == {"AUTOMATIC"}

    assert predict(scan, "--model", model, "--out", tmp_path / "n") == 0
    again = read_labels(result["mask"])
    nifti = np.asarray(nibabel.load(tmp_path / "n" / "scan.nii.gz").dataobj)
    np.testing.assert_array_equal(again.data, nifti.T)
    assert again.data.any()


@pytest.mark.parametrize("options", [(), ("--deidentify",)])
def test_a_dicom_seg_names_the_patient_or_not(
    make_checkpoint: Callable[..., Path], tmp_path: Path, options: tuple[str, ...]
) -> None:
    scan = write_series(tmp_path / "scan", [0, 2], PatientName="Muster^Erika")
    arguments = (scan, "--model", make_checkpoint(), "--out", tmp_path / "m", *options)
    assert predict(*arguments, "--format", "dcm") == 0
    seg = pydicom.dcmread(tmp_path / "m" / "scan.dcm")
    assert str(seg.PatientName) == ("" if options else "Muster^Erika")
    assert predict(*arguments) == (2 if options else 0)


def test_several_series_are_listed_and_one_is_named(
    make_checkpoint: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scan = write_series(tmp_path / "scan", [4, 0, 2])
    write_series(scan, [0, 5], number=12)
    arguments = (scan, "--model", make_checkpoint(), "--out", tmp_path / "m")
    assert predict(*arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    for part in ("2 series", "3 'T1' (MR, 3 slices), key 1.2.3", "12 'T1' (MR, 2 slices)"):
        assert part in line
    for name, slices in (("12", 2), ("1.2.3", 3)):
        assert predict(*arguments, "--series", name) == 0
        assert nibabel.load(tmp_path / "m" / "scan.nii.gz").shape == (16, 16, slices)


def test_missing_and_duplicate_slices_are_told(
    make_checkpoint: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scan = write_series(tmp_path / "scan", [0, 2, 2, 4, 8])
    assert predict(scan, "--model", make_checkpoint(), "--out", tmp_path / "m") == 0
    doubles, gap = capsys.readouterr().err.splitlines()
    assert doubles.startswith(f"{scan}: 1 slices have the position of another slice")
    assert "3-2.dcm" in doubles
    assert "missing between 3-3.dcm and 3-4.dcm" in gap


def test_what_is_no_dicom_gets_no_dicom_seg(
    make_checkpoint: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "a.npy", np.random.default_rng(0).random((16, 16)))
    scan = write_series(tmp_path / "scan", [0, 2])
    arguments = ("--model", make_checkpoint(), "--out", tmp_path / "m", "--format", "dcm")
    assert predict(tmp_path / "a.npy", scan, *arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "a.npy is not a DICOM series" in line
    assert [p.name for p in (tmp_path / "m").iterdir()] == ["scan.dcm"]


def test_without_the_extra_nothing_is_segmented(
    make_checkpoint: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scan = write_series(tmp_path / "scan", [0, 2])
    monkeypatch.setitem(sys.modules, "highdicom", None)
    arguments = ("--model", make_checkpoint(), "--out", tmp_path / "m", "--format", "dcm")
    assert predict(scan, write_series(tmp_path / "other", [0, 2]), *arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert 'pip install "napari-unet-seg[dicom-seg]"' in line
    assert not (tmp_path / "m").exists()


def masks(tmp_path: Path, suffix: str, **tags: Any) -> tuple[Path, Path]:
    """Write the same mask as DICOM SEG and in another format."""
    scan = read_dicom(write_series(tmp_path / "scan", list(range(16)), **tags))
    labels = np.zeros(scan.grid_shape, np.uint8)
    labels[3:5, 2:9, 4:8], labels[3:5, 10:12, 1:3] = 1, 2
    for name in ("seg", "other"):
        (tmp_path / name).mkdir()
    write_mask(tmp_path / "seg" / "a.dcm", labels, scan, NAMES)
    labels[4, 8, 4:8] = 0
    write_mask(tmp_path / "other" / f"a{suffix}", labels, scan, NAMES)
    return tmp_path / "seg", tmp_path / "other"


@pytest.mark.parametrize("suffix", [".nii.gz", ".tif", ".dcm"])
def test_evaluate_reads_dicom_seg(
    tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    seg, other = masks(tmp_path, suffix)
    write_mask(seg / "a.dcm", read_labels(seg / "a.dcm").data, read_dicom(tmp_path / "scan"), NAMES)
    arguments = ["evaluate", "--pred", str(seg), "--truth", str(other), "--json", "-"]
    assert main(arguments) == 0
    told = json.loads(capsys.readouterr().out)
    dice = {s["category"]: s["dice"] for s in told["summaries"]}
    assert dice == {"c0": pytest.approx(2 * 52 / (52 + 56)), "c1": 1}
    assert (told["unit"], told["missing"], told["extra"]) == ("mm", [], [])


def test_evaluate_turns_masks_of_the_same_voxels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # As many slices as rows and columns, so that the shapes tell nothing.
    turned = {"ImageOrientationPatient": [-1, 0, 0, 0, -1, 0], "PixelSpacing": [1, 1]}
    seg, other = masks(tmp_path, ".nii.gz", **turned)
    assert main(["evaluate", "--pred", str(seg), "--truth", str(other), "--json", "-"]) == 0
    told = json.loads(capsys.readouterr().out)
    dice = {s["category"]: s["dice"] for s in told["summaries"]}
    assert dice == {"c0": pytest.approx(2 * 52 / (52 + 56)), "c1": 1}


def test_a_session_goes_on_with_its_series(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "scan", [0, 2, 4])
    write_series(folder, [0, 2, 4], number=12)
    scan = read_dicom(folder, series=12)
    labels = np.ones(scan.grid_shape, np.uint8)
    Session.create(tmp_path / "session", scan, (Category(id=1, name="c0"),), labels)
    write_mask(folder / "mask.dcm", labels, scan, NAMES)

    again = Session.open(tmp_path / "session").scan
    np.testing.assert_array_equal(again.data, scan.data)
    assert again.path == folder
    assert again.meta["slices"] == scan.meta["slices"]
    write_mask(tmp_path / "m.dcm", labels, again, NAMES)
