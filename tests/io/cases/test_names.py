"""Tests of the names that follow a case: files by name only, since no pixels are read for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from dicom_files import write_series
from zarr_images import write_image

from napari_unet_seg.io.cases.names import case_name, mask_path
from napari_unet_seg.io.cases.plan import plan_folder
from napari_unet_seg.io.cases.scans import path_of

if TYPE_CHECKING:
    from pathlib import Path


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


@pytest.mark.parametrize(
    ("opened", "others", "name"),
    [
        ("pat0005/T1c_subtracted.nii.gz", ["pat0005/Flair_subtracted.nii.gz"], "pat0005"),
        ("pat7/2019-03-01/t1.nii", ["pat7/2019-03-01/flair.nii"], "pat7_2019-03-01"),
        ("all/A_01_t1ce.nii.gz", ["all/A_01_flair.nii.gz", "all/A_02_t1ce.nii.gz"], "A_01"),
        ("all/head.nii.gz", ["all/other.nii.gz"], "head"),
        ("sub-01/ses-02/anat/sub-01_ses-02_T1w.nii.gz", [], "sub-01_ses-02"),
        ("set/imagesTr/B_7_0001.nii.gz", ["set/imagesTr/B_7_0000.nii.gz"], "B_7"),
        ("TCGA_DU_7299_19910417/TCGA_DU_7299_19910417_1.tif", [], "TCGA_DU_7299_19910417_1"),
        ("a/head.nii.gz", ["a/head_mask.nii.gz"], "head"),
        ("a/head_mask.nii.gz", ["a/head.nii.gz"], "head"),
    ],
)
def test_a_file_belongs_to_the_case_of_its_plan(
    tmp_path: Path, opened: str, others: list[str], name: str
) -> None:
    touch(tmp_path, opened, *others)
    assert case_name(tmp_path / opened) == name


def test_the_name_is_the_one_that_the_plan_of_the_whole_folder_gives(tmp_path: Path) -> None:
    sequences = ("t1n", "t1c", "t2f")
    names = [f"BraTS-GLI-{n:05}-000" for n in (1, 2)]
    touch(tmp_path, *(f"{name}/{name}-{own}.nii.gz" for name in names for own in sequences))
    touch(tmp_path, *(f"P1/2020/P1_{n}.tif" for n in range(4)))
    plan = plan_folder(tmp_path)
    paths = {case.name: path_of(s) for case in plan.cases for s in case.sequences.values()}
    assert {*names, "P1_2020"} == paths.keys()
    assert {name: case_name(path) for name, path in paths.items()} == {n: n for n in paths}


@pytest.mark.parametrize(
    ("scan", "mask"),
    [
        ("P/T1c.nii.gz", "P/T1c_mask.nii.gz"),
        ("P/head.nii", "P/head_mask.nii"),
        ("P/head.ome.tif", "P/head_mask.tif"),
        ("P/head.tiff", "P/head_mask.tiff"),
        ("P/head.png", "P/head_mask.tif"),
        ("P/head_seg.nii.gz", "P/head_seg.nii.gz"),
        ("P/head_mask.png", "P/head_mask.tif"),
    ],
)
def test_a_mask_is_kept_beside_its_scan_where_the_plan_finds_it(
    tmp_path: Path, scan: str, mask: str
) -> None:
    touch(tmp_path, scan, "P/head.nii.gz" if "head_" in scan else scan)
    assert mask_path(tmp_path / scan) == tmp_path / mask
    touch(tmp_path, mask)
    (case,) = plan_folder(tmp_path).cases
    assert (tmp_path / mask,) in [source.files for source in case.masks.values()]


def test_the_mask_of_a_stack_is_kept_in_its_folder_and_comes_before_those_of_its_slices(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "s"
    touch(folder, *(f"s_{number}.png" for number in range(4)), "s_2_mask.png")
    mask = mask_path(folder)
    assert mask == folder / "s_mask.tif"
    mask.touch()
    (case,) = plan_folder(folder).cases
    assert [source.files for source in case.masks.values()] == [(mask,), (folder / "s_2_mask.png",)]


def test_the_masks_of_two_stacks_in_one_folder_are_told_apart(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    touch(folder, *(f"{name}_{number}.png" for number in range(4) for name in ("flair", "t1")))
    (case,) = plan_folder(folder).cases
    masks = [mask_path(folder, source.files) for source in case.sequences.values()]
    assert masks == [folder / "flair_mask.tif", folder / "t1_mask.tif"]
    for mask in masks:
        mask.touch()
    (case,) = plan_folder(folder).cases
    found = {name: source.files for name, source in case.masks.items()}
    assert found == {"mask": (masks[0],), "mask of T1": (masks[1],)}


def test_the_mask_of_dicom_is_kept_in_its_folder(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "series", [0, 1])
    assert mask_path(folder) == folder / "series_mask.dcm"
    assert case_name(folder) == "series"


def test_the_mask_of_an_ome_zarr_is_one_of_its_labels(tmp_path: Path) -> None:
    write_image(tmp_path / "head.zarr")
    assert mask_path(tmp_path / "head.zarr") == tmp_path / "head.zarr" / "labels" / "mask"
    assert case_name(tmp_path / "head.zarr") == "head"
