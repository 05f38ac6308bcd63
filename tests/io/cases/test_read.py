"""Tests of reading the sequences and masks of a case."""

from __future__ import annotations

from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.cases.case import Source
from napari_unet_seg.io.cases.plan import plan_folder
from napari_unet_seg.io.cases.read import read_mask, read_mask_among, read_sequence
from napari_unet_seg.io.read import read_scan

if TYPE_CHECKING:
    from pathlib import Path

SLICES = np.arange(12 * 4 * 5, dtype=np.uint8).reshape(12, 4, 5)


def write_slices(folder: Path, *, masks: range = range(12)) -> None:
    folder.mkdir()
    for number, plane in enumerate(SLICES, 1):
        tifffile.imwrite(folder / f"{folder.name}_{number}.tif", plane)
        if number - 1 in masks:
            Image.fromarray(plane > 40).save(folder / f"{folder.name}_{number}_mask.png")


def test_slices_become_a_volume_in_order(tmp_path: Path) -> None:
    write_slices(tmp_path / "A")
    [case] = plan_folder(tmp_path).cases

    scan = read_sequence(case.sequences["image"])
    assert scan.axes == "ZYX"
    np.testing.assert_array_equal(np.asarray(scan.data), SLICES)
    np.testing.assert_array_equal(read_mask(case.masks["mask"], scan).data, SLICES > 40)


def test_slices_without_a_mask_are_unreviewed(tmp_path: Path) -> None:
    write_slices(tmp_path / "A", masks=range(3, 5))
    [case] = plan_folder(tmp_path).cases

    mask = read_mask(case.masks["mask"], read_sequence(case.sequences["image"])).data
    assert np.unique(mask[[0, 1, 2, *range(5, 12)]]).tolist() == [255]
    np.testing.assert_array_equal(mask[3:5], SLICES[3:5] > 40)


def test_slice_of_another_size_is_named(tmp_path: Path) -> None:
    write_slices(tmp_path / "A")
    tifffile.imwrite(tmp_path / "A/A_7.tif", SLICES[0, :2])

    with pytest.raises(DataError, match=r"A_7\.tif holds 2×5 uint8 and A_1\.tif 4×5 uint8"):
        read_sequence(plan_folder(tmp_path).cases[0].sequences["image"])


def test_mask_of_another_size_is_named(tmp_path: Path) -> None:
    write_slices(tmp_path / "A")
    Image.fromarray(SLICES[0, :2] > 4).save(tmp_path / "A/A_7_mask.png")
    [case] = plan_folder(tmp_path).cases

    with pytest.raises(DataError, match=r"A_7_mask\.png is of shape \(2, 5\)"):
        read_mask(case.masks["mask"], read_sequence(case.sequences["image"]))


def test_channels_of_a_file_with_four_dimensions(tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel")
    data = np.random.default_rng(0).random((5, 4, 3, 2)).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(data, np.eye(4)), tmp_path / "case.nii.gz")

    scan = read_sequence(Source((tmp_path / "case.nii.gz",), channel=1))
    assert (scan.axes, scan.spacing) == ("ZYX", (1.0, 1.0, 1.0))
    np.testing.assert_array_equal(np.sort(scan.data, None), np.sort(data[..., 1], None))
    with pytest.raises(DataError, match="has no channel 2"):
        read_sequence(Source((tmp_path / "case.nii.gz",), channel=2))


def test_a_mask_is_read_on_the_grid_of_the_sequence_that_it_was_drawn_on(tmp_path: Path) -> None:
    moved = np.diag([1.0, 1, 2, 1])
    moved[0, 3] = 40
    grids = {
        "short": ((8, 8, 3), np.eye(4)),
        "elsewhere": ((8, 8, 6), moved),
        "own": ((8, 8, 6), np.diag([1.0, 1, 2, 1])),
    }
    for name, (shape, affine) in grids.items():
        nib.save(nib.Nifti1Image(np.ones(shape, np.int16), affine), tmp_path / f"{name}.nii")
    mask = Source((tmp_path / "mask.nii",))
    nib.save(nib.Nifti1Image(np.ones((8, 8, 6), np.uint8), grids["own"][1]), mask.files[0])
    scans = {name: read_scan(tmp_path / f"{name}.nii") for name in grids}
    assert read_mask_among(mask, scans.values())[0] == 2
    assert read_mask_among(mask, [scans["short"], scans["elsewhere"]])[0] == 1
    with pytest.raises(DataError, match=r"mask.nii is on a grid of \(6, 8, 8\)"):
        read_mask_among(mask, [scans["short"]])
