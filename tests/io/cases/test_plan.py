"""Tests of the plan of a folder: files by name only, since no pixels are read for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from dicom_files import write_series

from napari_unet_seg.config import Category
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.cases.plan import plan_folder
from napari_unet_seg.io.cases.read import read_sequence
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.provenance import provenance
from napari_unet_seg.io.read import read_scan
from napari_unet_seg.io.write import write_mask

if TYPE_CHECKING:
    from pathlib import Path


VOLUME = np.zeros((5, 8, 8), np.uint8)


def touch(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def files_of(root: Path) -> dict[str, dict[str, list[str]]]:
    """Return the names of files by case and by sequence or mask."""
    return {
        case.name: {
            name: [file.name for file in source.files]
            for name, source in (*case.sequences.items(), *case.masks.items())
        }
        for case in plan_folder(root).cases
    }


@pytest.mark.parametrize("place", ["", "P1/", "2020/P1/"])
def test_numbered_slices_are_one_stack_in_natural_order(tmp_path: Path, place: str) -> None:
    names = [f"{place}P1_{number}{end}.tif" for number in (10, 2, 1) for end in ("", "_mask")]
    root = touch(tmp_path / "P1", *names)

    assert files_of(root) == {
        "P1": {
            "image": ["P1_1.tif", "P1_2.tif", "P1_10.tif"],
            "mask": ["P1_1_mask.tif", "P1_2_mask.tif", "P1_10_mask.tif"],
        }
    }


def test_the_saved_mask_of_a_stack_is_its_mask_and_no_file_is_passed_over(tmp_path: Path) -> None:
    names = [f"P1_{number}{end}.tif" for number in (1, 2, 10) for end in ("", "_mask")]
    root = touch(tmp_path / "P1", *names)
    scan = Scan(VOLUME, "ZYX")
    for name in ("P1_mask.tif", "other_mask.tif"):
        write_mask(root / name, VOLUME, scan, provenance(None, ()))

    found = files_of(root)["P1"]
    assert found["mask"] == ["P1_mask.tif"]
    assert found["mask of slices"] == ["P1_1_mask.tif", "P1_2_mask.tif", "P1_10_mask.tif"]
    [left] = plan_folder(root).left_out
    assert left.path.name == "other_mask.tif"


def test_masks_in_a_folder_beside_the_slices(tmp_path: Path) -> None:
    root = touch(
        tmp_path, *(f"A/A_{n}.png" for n in range(4)), "A/masks/A_1.png", "A/masks/A_3.png"
    )

    [case] = plan_folder(root).cases
    assert case.masks["mask"].slices == (1, 3)
    assert [file.name for file in case.masks["mask"].files] == ["A_1.png", "A_3.png"]


@pytest.mark.parametrize(
    "name", ["images/photo_{}.png", "scan{}.tif", "{}.png", "image-{}.tif", "scans/scan{}.tif"]
)
def test_images_of_a_collection_are_no_stack(tmp_path: Path, name: str) -> None:
    root = touch(tmp_path / "scans", *(name.format(number) for number in range(5)))

    assert len(plan_folder(root).cases) == 5


@pytest.mark.parametrize("name", ["x_{}.tif", "{}.png", "IM{}.jpg"])
def test_numbered_slices_in_the_folder_of_a_patient(tmp_path: Path, name: str) -> None:
    root = touch(tmp_path, *(f"Smith/{name.format(number)}" for number in range(3, 8)))
    assert [len(case.sequences["image"].files) for case in plan_folder(root).cases] == [5]

    touch(root, f"Smith/{name.format(20)}")  # a gap: images of their own
    assert len(plan_folder(root).cases) == 6


def test_two_stacks_of_a_folder_are_two_sequences(tmp_path: Path) -> None:
    root = touch(tmp_path, *(f"A/{kind}_{n}.tif" for kind in ("flair", "t1ce") for n in range(3)))

    [case] = plan_folder(root).cases
    assert {name: len(source.files) for name, source in case.sequences.items()} == {
        "FLAIR": 3,
        "T1c": 3,
    }


@pytest.mark.parametrize(
    ("names", "sequences"),
    [
        (("_flair", "_t1", "_t1ce", "_t2"), ["FLAIR", "T1", "T1c", "T2"]),
        (("-t2f", "-t1n", "-t1c", "-t2w"), ["FLAIR", "T1", "T1c", "T2"]),
    ],
)
@pytest.mark.parametrize("folder", ["", "BraTS-GLI-00001-000/"])
def test_brats(tmp_path: Path, names: tuple[str, ...], sequences: list[str], folder: str) -> None:
    ends = (*names, f"{names[0][0]}seg")
    cases = ["BraTS-GLI-00001-000", *(["BraTS-GLI-00001-001"] if not folder else [])]
    root = touch(tmp_path, *(f"{folder}{case}{end}.nii.gz" for case in cases for end in ends))

    plan = plan_folder(root)
    assert [case.name for case in plan.cases] == cases
    assert [case.patient for case in plan.cases] == ["BraTS-GLI-00001"] * len(cases)
    assert [case.visit for case in plan.cases] == [name[-3:] for name in cases]
    for case in plan.cases:
        assert sorted(case.sequences) == sequences
        assert list(case.masks) == ["seg"]


def test_sequences_named_each_in_its_own_way_are_one_case(tmp_path: Path) -> None:
    root = touch(
        tmp_path,
        "pat5/Flair_norm.nii.gz",
        "pat5/T1c_bet.nii.gz",
        "pat5/brainmask.nii.gz",
        "pat5/OTMultiClass.nii.gz",
    )

    [case] = plan_folder(root).cases
    assert list(case.sequences) == ["T1c", "FLAIR"]
    assert list(case.masks) == ["OTMultiClass", "brainmask"]  # trained on: the first


def test_visits_of_a_patient(tmp_path: Path) -> None:
    root = touch(tmp_path, *(f"Smith/{day}/flair.nii" for day in ("2019-01-02", "2020-03-04")))

    cases = plan_folder(root).cases
    assert [(c.name, c.patient, c.visit) for c in cases] == [
        ("Smith_2019-01-02", "Smith", "2019-01-02"),
        ("Smith_2020-03-04", "Smith", "2020-03-04"),
    ]


def test_nnunet(tmp_path: Path) -> None:
    root = touch(
        tmp_path,
        *(f"imagesTr/c{case}_000{channel}.nii.gz" for case in (1, 2) for channel in (0, 1)),
        "imagesTs/c3_0000.nii.gz",
        *(f"labelsTr/c{case}.nii.gz" for case in (1, 2, 9)),
    )
    described = {
        "channel_names": {"0": "FLAIR", "1": "t1ce"},
        "labels": {"background": 0, "oedema": 1, "core": 2},
    }
    (root / "dataset.json").write_text(json.dumps(described), encoding="utf-8")

    plan = plan_folder(root)
    assert plan.categories == ((1, "oedema"), (2, "core"))
    assert files_of(root)["c1"] == {
        "FLAIR": ["c1_0000.nii.gz"],
        "T1c": ["c1_0001.nii.gz"],
        "mask": ["c1.nii.gz"],
    }
    assert [case.split for case in plan.cases] == [None, None, "test"]
    assert [left.path.name for left in plan.left_out] == ["c9.nii.gz"]


def test_decathlon_has_all_channels_in_one_file(tmp_path: Path) -> None:
    root = touch(tmp_path, "imagesTr/BRATS_001.nii.gz", "labelsTr/BRATS_001.nii.gz")
    described = {
        "modality": {"0": "FLAIR", "1": "T1w"},
        "labels": {"0": "background", "1": "edema"},
    }
    (root / "dataset.json").write_text(json.dumps(described), encoding="utf-8")

    plan = plan_folder(root)
    assert plan.categories == ((1, "edema"),)
    assert [(n, s.channel) for n, s in plan.cases[0].sequences.items()] == [("FLAIR", 0), ("T1", 1)]


@pytest.mark.parametrize("content", ["{", "[]", '{"labels": {"a": 1}}'])
def test_description_of_nnunet_that_is_damaged(tmp_path: Path, content: str) -> None:
    root = touch(tmp_path, "imagesTr/c1_0000.nii.gz")
    (root / "dataset.json").write_text(content, encoding="utf-8")

    with pytest.raises(DataError, match=r"dataset\.json"):
        plan_folder(root)


def test_bids(tmp_path: Path) -> None:
    root = touch(
        tmp_path,
        "sub-01/ses-a/anat/sub-01_ses-a_T1w.nii.gz",
        "sub-01/ses-a/anat/sub-01_ses-a_ce-gadolinium_T1w.nii.gz",
        "sub-01/ses-a/anat/sub-01_ses-a_FLAIR.nii.gz",
        "sub-02/anat/sub-02_T2w.nii.gz",
        "sub-02/func/sub-02_bold.nii.gz",
        "derivatives/hand/sub-01/ses-a/anat/sub-01_ses-a_label-lesion_mask.nii.gz",
    )

    plan = plan_folder(root)
    assert {
        c.name: (c.patient, c.visit, sorted(c.sequences), list(c.masks)) for c in plan.cases
    } == {
        "sub-01_ses-a": ("sub-01", "ses-a", ["FLAIR", "T1", "T1c"], ["lesion"]),
        "sub-02": ("sub-02", "", ["T2"], []),
    }
    assert [left.path.name for left in plan.left_out] == ["sub-02_bold.nii.gz"]


@pytest.mark.parametrize("name", ["p1_mask.nii.gz", "p1_mask.tif", "p1_mask.dcm"])
def test_a_mask_saved_into_the_folder_of_a_series_is_its_mask(tmp_path: Path, name: str) -> None:
    folder = write_series(tmp_path / "p1", [0.0, 2.0])
    scan, lesion = read_scan(folder), [Category(id=1, name="lesion")]
    for _ in range(2):  # the second time keeps the first mask as a backup
        labels = np.ones(scan.grid_shape, np.uint8)
        write_mask(folder / name, labels, scan, provenance(None, lesion), identified=False)

    plan = plan_folder(folder)
    [case] = plan.cases
    assert [source.files[0].name for source in case.masks.values()] == [name]
    assert not plan.left_out


@pytest.mark.parametrize("mask", ["p10_mask.nii.gz", "masks/p10.nii.gz"])
def test_mask_is_not_given_to_a_scan_of_a_shorter_number(tmp_path: Path, mask: str) -> None:
    plan = plan_folder(touch(tmp_path, "p1.nii.gz", "p2.nii.gz", mask))

    assert [case.masks for case in plan.cases] == [{}, {}]
    assert [left.path for left in plan.left_out] == [tmp_path / mask]


@pytest.mark.parametrize(
    ("scan", "mask", "taken"),
    [
        ("p1.nii.gz", "p2_mask.nii.gz", False),
        ("jones.nii.gz", "smith_seg.nii.gz", False),
        ("jones.nii.gz", "seg.nii.gz", True),
        ("p1.nii.gz", "p1_lesion_mask.nii.gz", True),
        ("scan.nii.gz", "lesion_mask.nii.gz", True),
        ("P1/x1_flair.nii.gz", "P1/rater2_mask.nii.gz", True),
    ],
)
def test_mask_beside_the_only_scan(tmp_path: Path, scan: str, mask: str, taken: bool) -> None:
    plan = plan_folder(touch(tmp_path, scan, mask))

    assert [bool(case.masks) for case in plan.cases] == [taken]
    assert [left.path for left in plan.left_out] == [tmp_path / mask] * (not taken)


def test_what_this_program_wrote_is_no_scan(tmp_path: Path) -> None:
    scan = Scan(VOLUME, "ZYX")
    touch(tmp_path, "A/a.tif", "A/b.tif", "z-out/c.tif")
    for name in ("z-out/a.nii.gz", "A/b.nii.gz"):
        write_mask(tmp_path / name, VOLUME, scan, provenance(None, ()))

    plan = plan_folder(tmp_path)
    assert [case.name for case in plan.cases] == ["a", "b", "c"]
    assert [source.files[0].name for case in plan.cases for source in case.masks.values()] == [
        "b.nii.gz"  # beside its scan
    ]
    assert [left.path.parent.name for left in plan.left_out] == ["z-out"]


def test_images_and_masks_with_splits(tmp_path: Path) -> None:
    root = touch(
        tmp_path,
        "train/images/a.png",
        "train/masks/a_mask.png",
        "valid/images/b.png",
        "valid/masks/b.png",
        "healthy/c.png",
    )

    plan = plan_folder(root)
    assert [(case.name, case.split) for case in plan.cases] == [("a", "train"), ("b", "valid")]
    assert [left.path.name for left in plan.left_out] == ["c.png"]


def test_scans_of_the_same_name_get_their_folder_s(tmp_path: Path) -> None:
    root = touch(tmp_path, "A/scan.nii", "B/scan.nii", "A/scan_seg.nii")

    assert files_of(root) == {
        "A_scan": {"image": ["scan.nii"], "seg": ["scan_seg.nii"]},
        "B_scan": {"image": ["scan.nii"]},
    }


def test_sessions_and_runs_are_left_out(tmp_path: Path) -> None:
    root = touch(tmp_path, "a.nii", "a-session/session.json", "a-session/masks/00000.tif")

    assert list(files_of(root)) == ["a"]


def test_folder_without_scans(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no scans"):
        plan_folder(touch(tmp_path, "notes.txt"))


def test_studies_of_dicom(tmp_path: Path) -> None:
    dated = [("1.2.1", "Kay", "2019"), ("1.2.2", "Kay", "2020"), ("1.2.3", "Lee", "2019")]
    for study, patient, year in dated:
        for number, name in ((1, "ax T1 post"), (2, "t2_flair_tra"), (3, "localizer")):
            write_series(
                tmp_path / f"{patient[0]}{year}" / f"s{number}",
                [0, 1, 2],
                number,
                name=name,
                StudyInstanceUID=study,
                SeriesInstanceUID=f"{study}.{number}",
                PatientID=patient,
            )

    plan = plan_folder(tmp_path)
    assert [(case.name, case.patient) for case in plan.cases] == [
        ("K2019", "K2019"),
        ("K2020", "K2019"),  # the same patient, whose number is in no name
        ("L2019", "L2019"),
    ]
    for case in plan.cases:
        assert list(case.sequences) == ["T1c", "FLAIR", "localizer"]
        scan = read_sequence(case.sequences["FLAIR"])
        assert (scan.axes, scan.grid_shape) == ("ZYX", (3, 16, 16))


def test_masks_of_dicom_in_a_folder_of_their_own(tmp_path: Path) -> None:
    write_series(tmp_path / "images/a", [0, 1])
    plan = plan_folder(touch(tmp_path, "masks/a.nii.gz", "masks/z.nii.gz"))

    [case] = plan.cases
    assert (case.name, list(case.sequences)) == ("a", ["T1"])
    assert case.masks["mask"].files == (tmp_path / "masks/a.nii.gz",)
    assert [left.path.name for left in plan.left_out] == ["z.nii.gz"]


def test_studies_in_folders_of_one_name_have_names_of_their_own(tmp_path: Path) -> None:
    for patient in ("a", "b"):
        for day in ("1", "2"):
            uid = f"1.2.{patient == 'a':d}.{day}"
            folder = tmp_path / patient / f"day{day}"
            write_series(folder, [0, 1], StudyInstanceUID=uid, SeriesInstanceUID=f"{uid}.1")

    assert [case.name for case in plan_folder(tmp_path).cases] == [
        "a_day1", "a_day2", "b_day1", "b_day2",
    ]  # fmt: skip


def test_damaged_dicom_is_left_out(tmp_path: Path) -> None:
    write_series(tmp_path / "a", [0, 1])
    (tmp_path / "b").mkdir()
    (tmp_path / "b/1.dcm").write_bytes(bytes(128) + b"DICM" + bytes(40))

    plan = plan_folder(tmp_path)
    assert [case.name for case in plan.cases] == ["a"]
    assert [left.path.name for left in plan.left_out] == ["b"]


def test_a_scan_that_is_named_after_a_lesion_is_a_scan(tmp_path: Path) -> None:
    root = touch(tmp_path, "patient-lesion-01.nii.gz", "patient-03.nii.gz")

    assert sorted(files_of(root)) == ["patient-03", "patient-lesion-01"]


def test_numbered_volumes_are_no_slices(tmp_path: Path) -> None:
    (tmp_path / "Smith").mkdir()
    for number in range(4):
        tifffile.imwrite(tmp_path / f"Smith/Smith_{number}.tif", VOLUME, photometric="minisblack")

    assert len(plan_folder(tmp_path).cases) == 4
