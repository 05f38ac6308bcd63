"""`export --format nnunet`, and the way back through the plan of the folder."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pytest
from dicom_files import write_sagittal
from PIL import Image

from napari_unet_seg.cli import main
from napari_unet_seg.config import IGNORE_INDEX, Category
from napari_unet_seg.data.dataset import open_dataset
from napari_unet_seg.io.cases.plan import plan_folder
from napari_unet_seg.io.cases.read import read_mask, read_sequence
from napari_unet_seg.io.common.grids.resampling import resampled
from napari_unet_seg.io.dicom.series import read_dicom
from napari_unet_seg.io.images.tiff import write_labels
from napari_unet_seg.io.read import read_scan
from napari_unet_seg.session.review_queue import ReviewState
from napari_unet_seg.session.session import Session
from napari_unet_seg.session.stored.sequences import OtherSequence

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.io.cases.case import Case

SHAPE = (3, 8, 10)
AFFINE = np.array([[-0.7, 0.1, 0, 30], [0.1, 0.7, 0, -40], [0, 0, 5, 12], [0, 0, 0, 1.0]])
CATEGORIES = (Category(id=0, name="1"), Category(id=7, name="background"))
RANDOM = np.random.default_rng(0)


def export(source: Path, out: Path, *options: str) -> int:
    return main(["export", str(source), "--out", str(out), "--format", "nnunet", *options])


def save(path: Path, pixels: Any, affine: Any = AFFINE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(np.asarray(pixels).T, affine), path)


def described(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "dataset.json").read_text())
    return found


def mask_of(case: Case) -> Any:
    scan = read_sequence(next(iter(case.sequences.values())))
    return read_mask(next(iter(case.masks.values())), scan).data


@pytest.fixture
def brats(tmp_path: Path) -> Path:
    """Four patients with two sequences, labels with a gap, and a FLAIR that one of them lacks."""
    root = tmp_path / "glioma study"
    for number in range(4):
        name = f"BraTS_{number:04d}"
        for sequence in ("t1ce", "t2"):
            pixels = RANDOM.normal(size=SHAPE).astype(np.float32)
            save(root / name / f"{name}_{sequence}.nii.gz", pixels)
        labels = np.zeros(SHAPE, np.uint8)
        labels[number % 3, 2:5, 3:6] = (1, 2, 4)
        save(root / name / f"{name}_seg.nii.gz", labels)
    save(root / "BraTS_0002" / "BraTS_0002_flair.nii.gz", np.zeros(SHAPE, np.float32))
    return root


def test_a_folder_of_cases_comes_back_as_it_was(
    brats: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(brats, tmp_path / "raw") == 0
    assert "FLAIR (1), which is left out" in capsys.readouterr().err

    folder = tmp_path / "raw" / "Dataset001_glioma_study"
    assert described(folder) == {
        "channel_names": {"0": "T1c", "1": "T2"},
        "labels": {"background": 0, "label 1": 1, "label 2": 2, "label 4": 3},
        "numTraining": 4,
        "file_ending": ".nii.gz",
    }
    before, after = plan_folder(brats), plan_folder(folder)
    assert after.layout == "nnU-Net or Decathlon"
    assert after.categories == ((1, "label 1"), (2, "label 2"), (3, "label 4"))
    assert [case.name for case in after.cases] == [case.name for case in before.cases]
    for old, new in zip(before.cases, after.cases, strict=True):
        assert list(new.sequences) == ["T1c", "T2"]
        for name, source in new.sequences.items():
            ours, theirs = read_sequence(old.sequences[name]), read_sequence(source)
            np.testing.assert_array_equal(theirs.data, ours.data)
            np.testing.assert_allclose(theirs.affine, ours.affine, rtol=1e-6)
            assert theirs.spacing == pytest.approx(ours.spacing)
        consecutive = np.array([0, 1, 2, 0, 3])[mask_of(old)]
        np.testing.assert_array_equal(mask_of(new), consecutive)


def test_no_patient_is_on_both_sides_of_a_fold(brats: Path, tmp_path: Path) -> None:
    export(brats, tmp_path / "Dataset042_Glioma")
    folds = json.loads((tmp_path / "Dataset042_Glioma" / "splits_final.json").read_text())
    names = [f"BraTS_{number:04d}" for number in range(4)]
    assert sorted(name for fold in folds for name in fold["val"]) == names
    assert all(sorted(fold["train"] + fold["val"]) == names for fold in folds)


def test_what_was_exported_is_exported_again_alike(brats: Path, tmp_path: Path) -> None:
    export(brats, tmp_path / "Dataset001_a")
    export(tmp_path / "Dataset001_a", tmp_path / "Dataset002_a")
    first, second = (described(tmp_path / f"Dataset00{number}_a") for number in (1, 2))
    assert first == second


def dataset(folder: Path, pixels: Any) -> Path:
    """Write a data set of ours, with a split, and unreviewed pixels in one mask."""
    samples = []
    for number, split in enumerate(("train", "valid", "test")):
        image, mask = f"{split}/images/{number}.png", f"{split}/masks/{number}.tif"
        for name in (image, mask):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / image)
        labels = np.full(SHAPE[1:], number % 3, np.uint8)
        labels[0] = IGNORE_INDEX if number == 0 else 0
        write_labels(folder / mask, labels, axes="YX", description={"image_id": number})
        sample = {"name": str(number), "split": split, "group": str(number)}
        samples.append({**sample, "image": image, "mask": mask})
    content = {"categories": [c.model_dump() for c in CATEGORIES], "samples": samples}
    (folder / "dataset.json").write_text(json.dumps({"version": 1, **content}))
    return folder


@pytest.mark.parametrize("colours", [False, True])
def test_a_data_set_keeps_its_split_and_unreviewed_pixels(tmp_path: Path, colours: bool) -> None:
    grey = RANDOM.integers(0, 255, SHAPE[1:], np.uint8)
    pixels = np.stack([grey, grey, grey // (2 if colours else 1)], axis=-1)
    folder = tmp_path / "Dataset001_slices"
    assert export(dataset(tmp_path / "set", pixels), folder) == 0

    names = ["red", "green", "blue"] if colours else ["image"]
    assert described(folder)["channel_names"] == {str(i): name for i, name in enumerate(names)}
    labels = {"background": 0, "1": 1, "background_2": 2, "ignore": 3}
    assert described(folder)["labels"] == labels
    split = [{"train": ["0"], "val": ["1"]}]
    assert json.loads((folder / "splits_final.json").read_text()) == split
    assert nib.load(folder / "labelsTr" / "0.nii.gz").shape == (10, 8, 1)

    plan = plan_folder(folder)
    assert plan.categories == ((1, "1"), (2, "background_2"))
    assert {case.name: case.split for case in plan.cases} == {"0": None, "1": "valid", "2": "test"}
    first = mask_of(plan.cases[0])
    assert np.unique(first[0, 0]).tolist() == [IGNORE_INDEX]
    assert not first[0, 1:].any()
    for number, name in enumerate(names):
        [image] = read_sequence(plan.cases[0].sequences[name]).data
        np.testing.assert_array_equal(image, pixels[..., number])


def session(
    folder: Path, scan: Any, names: list[str], accepted: list[int], **options: Any
) -> Session:
    categories = tuple(Category(id=i, name=name) for i, name in enumerate(names))
    labels = np.zeros(scan.grid_shape, np.uint8)
    labels[:, 2:4, 2:4] = 1
    new = Session.create(folder, scan, categories, labels, **options)
    for index in accepted:
        new.set_states({index: ReviewState.ACCEPTED})
    new.save()
    return new


def test_sessions_give_what_was_accepted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path / "flair.nii.gz", RANDOM.normal(size=SHAPE).astype(np.float32))
    series = read_dicom(write_sagittal(tmp_path / "series", *SHAPE[:1], SHAPE[1:]))
    session(tmp_path / "sessions" / "P1", read_scan(tmp_path / "flair.nii.gz"), ["a", "b"], [0, 2])
    session(tmp_path / "sessions" / "P2", series, ["b", "a"], [1])
    session(tmp_path / "sessions" / "P3", series, ["a"], [])
    folder = tmp_path / "Dataset001_s"
    assert export(tmp_path / "sessions", folder) == 0
    assert "No slice of P3 is accepted yet, which is left out." in capsys.readouterr().err

    assert described(folder)["labels"] == {"background": 0, "a": 1, "b": 2, "ignore": 3}
    first, second = plan_folder(folder).cases
    assert (first.name, second.name) == ("P1", "P2")
    scan = read_scan(tmp_path / "flair.nii.gz")
    assert [np.unique(plane).tolist() for plane in mask_of(first)] == [[0, 1], [255], [0, 1]]
    np.testing.assert_array_equal(read_sequence(first.sequences["image"]).data, scan.data)
    # The category of the second session's label 1 is `b`, and NIfTI is read upright.
    assert set(np.unique(mask_of(second)).tolist()) == {0, 2, 255}
    assert read_sequence(second.sequences["image"]).spacing == pytest.approx((0.5, 0.5, 1))


def test_a_session_gives_all_sequences_of_its_case(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    coarse, scans = AFFINE @ np.diag([2, 2, 1, 1]), {}
    for name, affine in {"flair": AFFINE, "t1ce": coarse, "t2": AFFINE}.items():
        save(tmp_path / f"{name}.nii.gz", RANDOM.normal(size=SHAPE).astype(np.float32), affine)
        scans[name] = read_scan(tmp_path / f"{name}.nii.gz")
    flair, t1c, t2 = scans.values()
    others = OtherSequence("T1c", "P T1c", t1c), OtherSequence("T2", "P T2", t2)
    for number, held in enumerate((others, others[:1], others)):
        folder = tmp_path / "sessions" / f"P{number}"
        session(folder, flair, ["a"], [1], sequence="FLAIR", others=held)
    session(tmp_path / "sessions" / "P3", flair, ["a"], [1], sequence="FLAIR")
    assert export(tmp_path / "sessions", tmp_path / "Dataset001_s") == 0
    told = capsys.readouterr().err
    assert "Not all of the 4 cases have T1c (3) and T2 (2), which are left out." in told
    shutil.rmtree(tmp_path / "sessions" / "P3")

    assert export(tmp_path / "sessions", tmp_path / "Dataset002_s") == 0
    told = capsys.readouterr().err
    assert "Not all of the 3 cases have T2 (2), which is left out." in told
    assert "Put on the voxels of the mask by linear interpolation: T1c of 3 cases." in told
    first, *_ = plan_folder(tmp_path / "Dataset002_s").cases
    assert list(first.sequences) == ["FLAIR", "T1c"]
    found = read_sequence(first.sequences["T1c"])
    np.testing.assert_allclose(found.data, resampled(t1c, flair).data, rtol=1e-6)
    assert found.affine == pytest.approx(flair.affine, rel=1e-6)


def test_a_damaged_session_is_left_out_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [tmp_path / "sessions" / f"P{number}" for number in range(5)]
    for folder in folders:
        save(tmp_path / f"{folder.name}_flair.nii.gz", RANDOM.normal(size=SHAPE))
        scan = read_scan(tmp_path / f"{folder.name}_flair.nii.gz")
        session(folder, scan, ["a"], [0], sequence="T1" if folder.name == "P3" else "FLAIR")
    (folders[0] / "session.json").write_text("{}")
    (tmp_path / "P1_flair.nii.gz").unlink()
    for mask in (folders[2] / "predictions").iterdir():
        mask.write_bytes(b"broken")
    assert export(tmp_path / "sessions", tmp_path / "Dataset001_s") == 2

    *notes, first, second, third, fourth = capsys.readouterr().err.strip().splitlines()[-6:]
    assert f"{folders[0] / 'session.json'} is damaged" in first
    assert "P1_flair.nii.gz, the scan of the session P1, is missing" in second
    assert "P2" in third
    assert fourth.startswith("P3 has no FLAIR; nnU-Net needs the same sequences in every case")
    assert "T1 (1), which is left out" in notes[0]
    assert [case.name for case in plan_folder(tmp_path / "Dataset001_s").cases] == ["P4"]


def test_sequences_on_several_grids_are_put_on_that_of_the_mask_as_in_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = AFFINE @ np.diag([2, 2, 1, 1])
    for number, grid in enumerate((AFFINE, moved)):  # the mask of the second one is on the T2
        for sequence, affine in (("flair", AFFINE), ("t2", moved)):
            name = tmp_path / "study" / f"P{number}" / f"P{number}_{sequence}.nii.gz"
            size = SHAPE if affine is AFFINE else (3, 4, 5)
            save(name, RANDOM.normal(size=size).astype(np.float32), affine)
        labels = np.zeros(SHAPE if grid is AFFINE else (3, 4, 5), np.uint8)
        labels[1, 1:3, 2:4] = 2
        save(tmp_path / "study" / f"P{number}" / f"P{number}_seg.nii.gz", labels, grid)
    assert export(tmp_path / "study", tmp_path / "Dataset001_a") == 0
    told = capsys.readouterr().err
    assert "linear interpolation: T2 of 1 case and FLAIR of 1 case." in told
    assert described(tmp_path / "Dataset001_a")["labels"] == {"background": 0, "label 2": 1}

    cases = plan_folder(tmp_path / "Dataset001_a").cases
    trained = open_dataset(tmp_path / "study", 3, ("FLAIR", "T2")).samples
    for case, sample in zip(cases, trained, strict=True):
        scans = [read_sequence(case.sequences[name]) for name in ("FLAIR", "T2")]
        found = np.stack([scan.data for scan in scans], axis=-1)
        np.testing.assert_allclose(found, np.asarray(sample.image), rtol=1e-6)
        labels, _ = sample.mask.read()  # type: ignore[union-attr]
        np.testing.assert_array_equal(read_mask(case.masks["mask"], scans[0]).data, labels > 0)


def test_nothing_is_written_of_what_cannot_be(
    brats: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(brats / "BraTS_0000" / "BraTS_0000_t2.nii.gz", np.zeros((2, *SHAPE), np.float32))
    (brats / "BraTS_0001" / "BraTS_0001_t1ce.nii.gz").write_bytes(b"broken")
    assert export(brats, tmp_path / "Dataset001_a") == 2
    told = capsys.readouterr().err
    assert "BraTS_0000_t2.nii.gz has the axes TZYX" in told
    assert "BraTS_0001_t1ce.nii.gz cannot be read" in told
    assert described(tmp_path / "Dataset001_a")["numTraining"] == 2
    files = sorted(p.name for p in (tmp_path / "Dataset001_a" / "imagesTr").iterdir())
    assert files == [f"BraTS_000{n}_000{c}.nii.gz" for n in (2, 3) for c in (0, 1)]

    assert export(brats, tmp_path / "Dataset001_a") == 2
    assert "exists already" in capsys.readouterr().err
    for path in brats.glob("*/*_seg.nii.gz"):
        path.unlink()
    assert export(brats, tmp_path / "Dataset002_b") == 2
    assert not (tmp_path / "Dataset002_b").exists()
