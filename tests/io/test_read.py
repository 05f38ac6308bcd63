from __future__ import annotations

import errno
import os
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.images.tiff import read_description, write_array
from napari_unet_seg.io.read import read_labels, read_npy, read_scan
from napari_unet_seg.io.write import write_mask

if TYPE_CHECKING:
    from pathlib import Path

VOLUME = np.arange(60, dtype=np.uint8).reshape(3, 4, 5)
SCAN = Scan(VOLUME, "ZYX", (3.0, 0.5, 0.25), "mm")
LABELS = (VOLUME % 7).astype(np.int32)


@pytest.mark.parametrize(
    ("name", "data", "axes"),
    [("a.TIF", VOLUME, "ZYX"), ("a.nii.gz", VOLUME, "ZYX"), ("a.npy", VOLUME, "ZYX")],
)
def test_every_kind_has_its_reader(tmp_path: Path, name: str, data: Any, axes: str) -> None:
    path = tmp_path / name
    if name.endswith(".npy"):
        np.save(path, data)
    else:
        write_mask(path, data, SCAN)
    scan = read_scan(str(path))
    np.testing.assert_array_equal(scan.data, data)
    assert (scan.axes, scan.path) == (axes, path)


def test_images_are_read(tmp_path: Path) -> None:
    Image.fromarray(VOLUME[0]).save(tmp_path / "a.PNG")
    np.testing.assert_array_equal(read_scan(tmp_path / "a.PNG").data, VOLUME[0])


@pytest.mark.parametrize("name", ["IM0001", "a.ima", "folder"])
def test_dicom_goes_by_its_content(real_data: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).symlink_to(real_data / "dicom" / ("" if name == "folder" else "N2D_0170.dcm"))
    assert read_scan(tmp_path / name).data.shape[1:] == (384, 274)


@pytest.mark.parametrize(
    ("shape", "dtype", "axes"),
    [
        ((4, 5), np.float64, "YX"),
        ((4, 5, 3), np.uint8, "YXC"),
        ((4, 5, 3), np.float32, "ZYX"),
        ((2, 4, 5, 4), np.uint8, "ZYXC"),
        ((2, 4, 5, 6), np.int16, "TZYX"),
    ],
)
def test_axes_of_npy(tmp_path: Path, shape: tuple[int, ...], dtype: Any, axes: str) -> None:
    np.save(tmp_path / "a.npy", np.zeros(shape, dtype))
    scan = read_npy(tmp_path / "a.npy")
    assert (scan.axes, scan.data.shape, scan.data.dtype) == (axes, shape, dtype)


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)

    def __reduce__(self) -> Any:
        return os.mkdir, (self.folder,)


def test_nothing_is_ever_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([Bomb(tmp_path / "boom")], object), allow_pickle=True)
    (tmp_path / "b.npy").write_bytes(pickle.dumps(Bomb(tmp_path / "boom")))
    for name in ("a.npy", "b.npy"):
        with pytest.raises(DataError, match=name):
            read_scan(tmp_path / name)
    assert not (tmp_path / "boom").exists()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("gone.tif", None, "does not exist"),
        ("a.txt", b"text", "choose a TIFF, PNG"),
        ("a", b"", "choose a TIFF, PNG"),
        ("a.npy", b"\x93NUMPY", "copy it again"),
        ("a.tif", b"II*\0", "copy it again"),
        ("a.nii", b"no nifti" * 50, "choose another file"),
        ("a.dcm", b"no dicom" * 50, "copy it again"),
    ],
)
def test_what_cannot_be_read_is_named(
    tmp_path: Path, name: str, content: bytes | None, reason: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=reason) as caught:
        read_scan(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


def test_labels_of_any_number_type(tmp_path: Path) -> None:
    stored = np.array([[0, 0.99999997, 300]], np.float32)
    write_array(tmp_path / "m.tif", stored, axes="YX")
    labels = read_labels(tmp_path / "m.tif")
    assert labels.data.tolist() == [[0, 1, 300]]
    assert labels.data.dtype == np.uint16


@pytest.mark.parametrize(
    ("array", "axes", "reason"),
    [
        (np.array([[0.5, 1]], np.float32), "YX", "fractions"),
        (np.array([[-1, 1]], np.float32), "YX", "renumber"),
        (np.zeros((4, 5, 3), np.uint8), "YXC", "colours"),
    ],
)
def test_what_are_no_labels_is_refused(tmp_path: Path, array: Any, axes: str, reason: str) -> None:
    write_array(tmp_path / "m.tif", array, axes=axes)
    with pytest.raises(DataError, match=rf"m\.tif.*{reason}"):
        read_labels(tmp_path / "m.tif")


@pytest.mark.parametrize("name", ["m.tif", "m.tiff", "m.nii", "m.nii.gz"])
def test_a_mask_is_written_on_its_scans_grid_and_the_previous_kept(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    write_mask(path, LABELS * 0, SCAN, {"n": 1})
    write_mask(path, LABELS, SCAN, {"n": 2})
    mask = read_labels(path)
    np.testing.assert_array_equal(mask.data, LABELS)
    assert (mask.axes, mask.spacing, mask.unit) == (SCAN.axes, SCAN.spacing, SCAN.unit)
    assert mask.meta["description"] == {"n": 2}
    stem, _, suffix = name.partition(".")
    assert read_scan(tmp_path / f"{stem}.bak.{suffix}").data.max() == 0
    assert len(list(tmp_path.iterdir())) == 2
    if "tif" in name:
        assert read_description(path) == {"n": 2}


def test_the_mask_of_a_coloured_scan_has_no_channels(tmp_path: Path) -> None:
    scan = Scan(np.zeros((4, 5, 3), np.uint8), "YXC")
    write_mask(tmp_path / "m.tif", LABELS[0], scan)
    assert read_scan(tmp_path / "m.tif").axes == "YX"


def test_a_mask_of_another_grid_is_refused_with_both_grids(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"4 × 3 × 5.* 3 × 4 × 5"):
        write_mask(tmp_path / "m.tif", LABELS.reshape(4, 3, 5), SCAN)
    assert not list(tmp_path.iterdir())


def test_a_mask_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"m\.png has no suffix of a mask file"):
        write_mask(tmp_path / "m.png", LABELS, SCAN)


@pytest.mark.parametrize("name", ["m.tif", "m.nii", "m.nii.gz"])
@pytest.mark.parametrize(
    ("number", "mend"), [(errno.ENOSPC, "free some space"), (errno.EACCES, "another folder")]
)
def test_a_failing_disk_leaves_the_previous_mask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, number: int, mend: str
) -> None:
    path = tmp_path / name
    write_mask(path, LABELS, SCAN)
    before = path.read_bytes()

    def fail(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(DataError, match=mend) as caught:
        write_mask(path, LABELS * 0, SCAN)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's /dev/full")
@pytest.mark.parametrize("name", ["m.tif", "m.nii", "m.nii.gz"])
def test_a_disk_that_fills_up_while_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    from napari_unet_seg.io.disk import temporary

    # The temporary file's name leads to a device on which every write fails for want of space.
    monkeypatch.setattr(temporary.secrets, "token_hex", lambda _n: "full")
    (tmp_path / f".full.unet-seg.{name}").symlink_to("/dev/full")
    with pytest.raises(DataError, match=rf"{name}.*disk is full"):
        write_mask(tmp_path / name, LABELS, SCAN)
    assert not list(tmp_path.iterdir())


def test_readers_load_their_libraries_when_needed() -> None:
    code = (
        "import sys, napari_unet_seg.io.read, napari_unet_seg.io.write\n"
        "heavy = {'nibabel', 'pydicom', 'tifffile', 'PIL', 'torch', 'napari', 'qtpy', 'dask'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
