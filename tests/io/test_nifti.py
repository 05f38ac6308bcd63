from __future__ import annotations

import gzip
import struct
import tempfile
import tracemalloc
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.images.tiff import read_tiff
from napari_unet_seg.io.nifti import read_nifti, write_nifti_labels
from napari_unet_seg.io.write import write_mask

ARRAY = np.arange(3 * 4 * 5, dtype=np.int16).reshape(3, 4, 5)


def save(
    path: Path, array: Any, affine: Any, qform: int = 1, sform: int = 1, **kwargs: Any
) -> Path:
    kind = nib.Nifti2Image if kwargs.pop("nifti2", False) else nib.Nifti1Image
    image = kind(array, affine)
    image.header.set_qform(affine, qform)
    image.header.set_sform(affine, sform)
    image.header.set_xyzt_units(kwargs.pop("unit", "mm"), "sec")
    nib.save(image, path)
    return path


def rotation(angles: tuple[float, float, float]) -> Any:
    a, b, c = (np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]]) for t in angles)
    matrix = np.eye(3)
    for (i, j), turn in zip([(0, 1), (0, 2), (1, 2)], (a, b, c), strict=True):
        step = np.eye(3)
        step[np.ix_([i, j], [i, j])] = turn
        matrix = matrix @ step
    return matrix


@st.composite
def affines(draw: st.DrawFn) -> Any:
    turn = rotation(draw(st.tuples(*[st.floats(-3.2, 3.2)] * 3)))
    axes = draw(st.permutations(range(3)))
    signs = draw(st.tuples(*[st.sampled_from([-1, 1])] * 3))
    sizes = draw(st.tuples(*[st.floats(0.1, 10)] * 3))
    affine = np.eye(4)
    affine[:3, :3] = turn[:, axes] * signs * sizes
    affine[:3, 3] = draw(st.tuples(*[st.floats(-300, 300)] * 3))
    return affine


codes = st.sampled_from([1, 2, 3, 4])


@settings(max_examples=100, deadline=None)
@given(
    affines(),
    st.integers(2, 4).flatmap(lambda n: st.tuples(*[st.integers(1, 4)] * n)),
    codes,
    st.sampled_from([0, 1, 2, 4]),
    st.booleans(),
    st.sampled_from([".nii", ".nii.gz"]),
    st.data(),
)
def test_a_mask_has_its_scans_grid_to_the_bit(
    affine: Any,
    shape: tuple[int, ...],
    qform: int,
    sform: int,
    nifti2: bool,
    suffix: str,
    data: st.DataObject,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        scan_path, mask_path = Path(folder) / f"scan{suffix}", Path(folder) / f"mask{suffix}"
        values = np.arange(np.prod(shape), dtype=np.int16).reshape(shape)
        save(scan_path, values, affine, qform, sform, nifti2=nifti2)
        scan = read_nifti(scan_path)
        assert scan.data.ndim == max(3, len(shape))
        top = data.draw(st.sampled_from([1, 255, 256, 70_000]))
        labels = data.draw(hnp.arrays(np.int64, scan.grid_shape, elements=st.integers(0, top)))
        write_nifti_labels(mask_path, labels, scan, description={"model": "ü"})
        source, mask = nib.load(scan_path), nib.load(mask_path)
        shown = read_nifti(mask_path)
        stored = np.asarray(mask.dataobj)
    assert (mask.shape, type(mask)) == (source.shape, type(source))
    for field in ("sform_code", "qform_code", "pixdim", "srow_x", "quatern_b", "xyzt_units"):
        np.testing.assert_array_equal(mask.header[field], source.header[field])
    np.testing.assert_array_equal(mask.affine, source.affine)
    assert mask.get_data_dtype() == np.min_scalar_type(int(labels.max()))
    # The mask drawn on a voxel of the array as shown is on the same voxel of the file.
    np.testing.assert_array_equal(shown.data, labels)
    order = np.argsort(scan.data.ravel())
    np.testing.assert_array_equal(stored.ravel(), labels.ravel()[order])
    assert shown.meta["description"] == {"model": "ü"}


@settings(max_examples=40, deadline=None)
@given(affines())
def test_the_shown_order_is_left_posterior_superior(affine: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        scan = read_nifti(save(Path(folder) / "a.nii", ARRAY, affine))
    shown = scan.meta["display_affine"]
    assert nib.aff2axcodes(shown) == ("L", "P", "S")
    # A voxel lies at the same place in both orders.
    values = range(ARRAY.size)
    stored = [np.argwhere(ARRAY == v)[0] for v in values]
    turned = [np.argwhere(scan.data == v)[0][::-1] for v in values]
    np.testing.assert_allclose(
        nib.affines.apply_affine(shown, turned),
        nib.affines.apply_affine(scan.affine, stored),
        atol=1e-3,
        rtol=1e-5,
    )
    assert scan.spacing == pytest.approx(tuple(nib.affines.voxel_sizes(shown))[::-1])


@pytest.mark.parametrize(
    ("signs", "expected"),
    [
        ((-1, -1, 1), ARRAY),
        ((1, 1, 1), ARRAY[::-1, ::-1]),
        ((-1, 1, 1), ARRAY[:, ::-1]),
        ((-1, -1, -1), ARRAY[:, :, ::-1]),
    ],
    ids=["LPS", "RAS", "LAS", "LPI"],
)
def test_common_orientations(tmp_path: Path, signs: Any, expected: Any) -> None:
    affine = np.diag([2.0 * signs[0], 3.0 * signs[1], 4.0 * signs[2], 1])
    scan = read_nifti(save(tmp_path / "a.nii.gz", ARRAY, affine))
    np.testing.assert_array_equal(scan.data, expected.T)
    assert (scan.axes, scan.spacing, scan.unit) == ("ZYX", (4, 3, 2), "mm")
    assert scan.data.dtype == np.int16
    np.testing.assert_array_equal(scan.affine, affine)


def test_values_are_scaled_and_labels_of_them_are_whole(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.array([[[0, 200]]], np.uint8), np.eye(4))
    image.header.set_slope_inter(0.005, 0)
    nib.save(image, tmp_path / "a.nii")
    stored = bytearray((tmp_path / "a.nii").read_bytes())
    # nibabel scales when it saves; write the values and the slope by hand.
    stored[112:116] = np.float32(0.005).tobytes()
    stored[352:354] = bytes([0, 200])
    (tmp_path / "a.nii").write_bytes(bytes(stored))
    scan = read_nifti(tmp_path / "a.nii")
    assert scan.data.dtype == np.float32
    assert scan.data.max() == pytest.approx(1)
    write_nifti_labels(tmp_path / "m.nii", scan.data.round().astype(np.uint8), scan)
    mask = nib.load(tmp_path / "m.nii")
    assert np.asarray(mask.dataobj).ravel().tolist() == [0, 1]
    assert np.asarray(mask.dataobj).dtype == np.uint8


def test_time_comes_first_and_colour_last(tmp_path: Path) -> None:
    series = np.arange(3 * 4 * 5 * 2, dtype=np.float64).reshape(3, 4, 5, 2)
    affine = np.diag([-1.0, -1, 1, 1])
    image = nib.Nifti1Image(series, affine)
    image.header.set_zooms((1, 1, 1, 2.5))
    nib.save(image, tmp_path / "t.nii")
    scan = read_nifti(tmp_path / "t.nii")
    assert (scan.axes, scan.spacing) == ("TZYX", (2.5, 1, 1, 1))
    np.testing.assert_array_equal(scan.data, series.T)
    vectors = save(tmp_path / "v.nii", series[:, :, :, None], affine)
    scan = read_nifti(vectors)
    assert (scan.axes, scan.data.shape, scan.grid_shape) == ("ZYXC", (5, 4, 3, 2), (5, 4, 3))
    write_nifti_labels(tmp_path / "m.nii", np.ones(scan.grid_shape, int), scan)
    assert nib.load(tmp_path / "m.nii").shape == (3, 4, 5, 1)
    colour = np.zeros((3, 4, 5), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    colour["G"] = ARRAY
    scan = read_nifti(save(tmp_path / "c.nii", colour, affine))
    assert scan.axes == "ZYXC"
    np.testing.assert_array_equal(scan.data[..., 1], ARRAY.T)
    write_nifti_labels(tmp_path / "m.nii", np.ones(scan.grid_shape, int), scan)
    assert nib.load(tmp_path / "m.nii").shape == (3, 4, 5)


def test_voxels_in_other_units(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", ARRAY, np.eye(4) * 20, unit="micron")
    assert (read_nifti(path).spacing, read_nifti(path).unit) == ((20, 20, 20), "µm")


def test_an_unusable_orientation_is_reported(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", ARRAY, np.eye(4))
    stored = bytearray(path.read_bytes())
    stored[280:328] = bytes(48)
    path.write_bytes(bytes(stored))
    scan = read_nifti(path)
    assert "orientation" in scan.meta["notes"][0]
    assert scan.data.size == ARRAY.size


def test_the_mask_of_a_scan_without_affine_is_upright(tmp_path: Path) -> None:
    scan = Scan(np.zeros((5, 4, 3)), "ZYX", (3.0, 0.5, 0.25), "mm")
    labels = ARRAY.T
    write_mask(tmp_path / "m.nii.gz", labels, scan)
    mask = nib.load(tmp_path / "m.nii.gz")
    np.testing.assert_array_equal(mask.affine, np.diag([-0.25, -0.5, 3, 1]))
    np.testing.assert_array_equal(read_nifti(tmp_path / "m.nii.gz").data, labels)


def test_a_sheared_affine_is_in_the_sform_only(tmp_path: Path) -> None:
    affine = np.array([[-1.0, 0, 0, 5], [0, -1, 0.5, 6], [0, 0, 2, 7], [0, 0, 0, 1]])
    scan = Scan(np.zeros((5, 4, 3)), "ZYX", (2.0, 1.0, 1.0), "mm", affine=affine)
    write_mask(tmp_path / "m.nii", ARRAY.T, scan)
    mask = nib.load(tmp_path / "m.nii")
    np.testing.assert_array_equal(mask.affine, affine)
    assert [int(mask.header[f"{k}form_code"]) for k in "qs"] == [0, 1]


def test_independent_images_are_no_volume(tmp_path: Path) -> None:
    scan = Scan(np.zeros((5, 4, 3)), "NYX")
    with pytest.raises(DataError, match=r"m\.nii cannot store the axes NYX.*save.*\.tif"):
        write_mask(tmp_path / "m.nii", np.zeros((5, 4, 3), int), scan)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.95])
def test_a_truncated_file_is_named(tmp_path: Path, suffix: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (32, 32, 32), np.uint8)
    path = save(tmp_path / f"a{suffix}", noise, np.eye(4))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(DataError, match=r"a\.nii.*copy it again"):
        read_nifti(path)


def test_a_header_that_promises_too_much_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", ARRAY, np.eye(4))
    stored = bytearray(path.read_bytes())
    stored[42:48] = np.array([32767] * 3, np.int16).tobytes()
    for name, content in (("a.nii", bytes(stored)), ("b.nii.gz", gzip.compress(stored))):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=f"{name} is truncated or damaged"):
            read_nifti(tmp_path / name)


def test_complex_numbers_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", ARRAY.astype(np.complex64), np.eye(4))
    with pytest.raises(DataError, match="magnitude"):
        read_nifti(path)


def test_real_scans_and_masks(real_data: Path, tmp_path: Path) -> None:
    folder = real_data / "nifti" / "brats_2013_pat0005_1"
    scan = read_nifti(folder / "T1c_subtrMeanDivStd.nii.gz")
    brain = read_nifti(folder / "brainmask.nii.gz")
    assert (scan.data.shape, scan.axes, scan.spacing) == ((155, 240, 240), "ZYX", (1, 1, 1))
    labels = (brain.data > 0.5).astype(np.int32)
    write_mask(tmp_path / "m.nii.gz", labels, scan, {"source": "T1c"})
    write_mask(tmp_path / "m.tif", labels, scan, {"source": "T1c"})
    source, mask = nib.load(scan.path), nib.load(tmp_path / "m.nii.gz")
    np.testing.assert_array_equal(mask.affine, source.affine)
    assert (mask.shape, mask.get_data_dtype()) == (source.shape, np.uint8)
    assert [int(mask.header[k]) for k in ("qform_code", "sform_code")] == [0, 2]
    outside = source.get_fdata()[np.asarray(mask.dataobj) == 0]
    assert np.unique(outside).size == 1
    again = read_tiff(tmp_path / "m.tif")
    np.testing.assert_array_equal(again.data, labels)
    np.testing.assert_array_equal(again.affine, scan.meta["display_affine"])


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
def test_a_header_that_unpacks_to_gigabytes_is_refused_before_it_is_read(
    tmp_path: Path, kind: Any
) -> None:
    image = kind(np.zeros((2, 2, 2), np.uint8), np.eye(4))
    (size,) = struct.unpack_from("<i", image.to_bytes())
    extension = 160 * 2**20
    stored = bytearray(image.to_bytes()[:size])
    place, form = (108, "<f") if size == 348 else (168, "<q")
    struct.pack_into(form, stored, place, size + 4 + extension)
    stored += struct.pack("<4B2i", 1, 0, 0, 0, extension, 6) + bytes(extension)
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(stored, 1))
    del stored
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=r"a\.nii\.gz is damaged .*claims to be 16777\d+ bytes"):
            read_nifti(tmp_path / "a.nii.gz")
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()
