from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pytest

from napari_unet_seg.io.nifti import read_nifti, write_nifti_labels

if TYPE_CHECKING:
    from pathlib import Path

ARRAY = np.arange(3 * 4 * 5, dtype=np.int16).reshape(3, 4, 5)
GOOD = np.array([[0, 0, -1.5, 40.0], [2, 0, 0, -60], [0, 3, 0, -20], [0, 0, 0, 1]])
"""Axes that point to the front, upwards and to the right."""
BAD = {
    "not finite": {"srow_x": np.nan, "srow_y": 0, "srow_z": 1},
    "zero": {"srow_x": 0, "srow_y": 0, "srow_z": 0},
    "flat": {"srow_x": 1, "srow_y": 1, "srow_z": 1},
}


def header(sform: str = "", qform: bool = True, **fields: Any) -> Any:
    """Return a header with one of the sforms in `BAD`, and a usable qform or none."""
    made = nib.Nifti1Image(ARRAY, GOOD).header
    made.set_qform(GOOD if qform else None, 1 if qform else 0)
    made.set_sform(GOOD, 2)
    for name, value in (BAD.get(sform, {}) | fields).items():
        made[name] = value
    return made


def save(path: Path, made: Any) -> Path:
    """Write a header and the array as they are; nibabel itself would repair the header."""
    made.set_data_dtype(ARRAY.dtype)
    made["vox_offset"], made["magic"] = 352, b"n+1"
    path.write_bytes(made.binaryblock + bytes(4) + ARRAY.tobytes(order="F"))
    return path


def mask_of(path: Path) -> Any:
    """Read a scan, write its mask, and return the header of the mask."""
    scan = read_nifti(path)
    target = path.with_name("mask.nii")
    write_nifti_labels(target, np.ones(scan.grid_shape, np.uint8), scan)
    return nib.load(target).header


@pytest.mark.parametrize("sform", BAD)
def test_the_qform_replaces_an_unusable_sform(tmp_path: Path, sform: str) -> None:
    good = read_nifti(save(tmp_path / "good.nii", header()))
    path = save(tmp_path / "bad.nii", header(sform))
    scan = read_nifti(path)
    np.testing.assert_array_equal(scan.data, good.data)
    np.testing.assert_allclose(scan.affine, GOOD, atol=1e-5)
    assert good.meta["notes"] == ()
    assert [note for note in scan.meta["notes"] if "qform gives the orientation" in note]
    mask = mask_of(path)
    np.testing.assert_allclose(mask.get_best_affine(), GOOD, atol=1e-5)
    assert (int(mask["sform_code"]), int(mask["qform_code"])) == (0, 1)


@pytest.mark.parametrize("sform", BAD)
def test_without_any_usable_form_the_voxel_size_is_left(tmp_path: Path, sform: str) -> None:
    path = save(tmp_path / "bad.nii", header(sform, qform=False))
    scan = read_nifti(path)
    assert [note for note in scan.meta["notes"] if "voxel size alone" in note]
    assert scan.spacing == (1.5, 3, 2)
    assert np.isfinite(mask_of(path).get_best_affine()).all()


@pytest.mark.parametrize("name", ["quatern_b", "qoffset_y", "pixdim", "toffset", "slice_duration"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_no_value_that_is_not_finite_is_written(tmp_path: Path, name: str, value: float) -> None:
    path = save(tmp_path / "odd.nii", header(**{name: value}))
    mask = mask_of(path)
    np.testing.assert_array_equal(mask.get_best_affine(), GOOD.astype(np.float32))
    for field in mask.structarr.dtype.names:
        stored = mask.structarr[field]
        assert stored.dtype.kind != "f" or np.isfinite(stored).all() or field.startswith("scl")


def test_odd_and_harmless_fields_come_back(tmp_path: Path) -> None:
    odd = {
        "sform_code": 5,
        "qform_code": 3,
        "descrip": b"x" * 80,
        "regular": b"q",
    }
    mask = mask_of(save(tmp_path / "odd.nii", header(**odd, slice_code=6, toffset=-7)))
    assert {name: mask[name].item() for name in odd} == odd
    assert (int(mask["slice_code"]), float(mask["toffset"])) == (6, -7)


def test_a_scan_without_orientation_is_at_the_origin(tmp_path: Path) -> None:
    scan = read_nifti(save(tmp_path / "a.nii", header(sform_code=0, qform_code=0)))
    assert scan.meta["notes"] == ()
    np.testing.assert_array_equal(scan.meta["display_affine"][:3, 3], 0)
