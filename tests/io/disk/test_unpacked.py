"""Small files that unpack to much more than can be meant are refused, and read where allowed."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.disk import unpacked
from napari_unet_seg.io.read import read_scan

if TYPE_CHECKING:
    from pathlib import Path

ZEROS = np.zeros((2048, 2048), np.uint8)


def write_tiff(path: Path) -> None:
    tifffile.imwrite(path, ZEROS, compression="zlib")


def write_nifti(path: Path) -> None:
    path.write_bytes(gzip.compress(nib.Nifti1Image(ZEROS[None], np.eye(4)).to_bytes()))


def write_png(path: Path) -> None:
    Image.fromarray(ZEROS).save(path)


@pytest.mark.parametrize(
    ("name", "write"), [("a.tif", write_tiff), ("a.nii.gz", write_nifti), ("a.png", write_png)]
)
def test_what_can_hardly_be_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, write: object
) -> None:
    path = tmp_path / name
    assert callable(write)
    write(path)
    assert not read_scan(path).data.any()  # 4 MiB are always read

    monkeypatch.setattr(unpacked, "_ALWAYS", 3)
    with pytest.raises(
        DataError, match=rf"{name} unpacks from 0\.0 to 4 MiB.*set {unpacked.VARIABLE}=5"
    ):
        read_scan(path)
    monkeypatch.setenv(unpacked.VARIABLE, "5")
    assert not read_scan(path).data.any()


def test_noise_is_read_however_large_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (1024, 1024), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", noise, compression="zlib")
    monkeypatch.setattr(unpacked, "_ALWAYS", 0)

    np.testing.assert_array_equal(read_scan(tmp_path / "a.tif").data, noise)
