"""Compressed pixels are read bit for bit."""

from __future__ import annotations

import struct
import tracemalloc
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.dicom.codecs import frame_size
from napari_unet_seg.io.dicom.series import read_dicom
from napari_unet_seg.io.read import read_scan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_unet_seg.arrays import Array

RANDOM = np.random.default_rng(3)
DEEP = RANDOM.integers(0, 2**16, (2, 9, 13)).astype(np.uint16)
TWELVE = (DEEP >> 4).astype(np.uint16)
SIGNED = DEEP.view(np.int16)
COLOUR = RANDOM.integers(0, 256, (2, 9, 13, 3)).astype(np.uint8)
DEEP_COLOUR = RANDOM.integers(0, 2**16, (2, 9, 13, 3)).astype(np.uint16)


def lossless(array: Array, predictor: int, bits: int = 16) -> bytes:
    return imagecodecs.jpeg8_encode(
        array, lossless=True, predictor=predictor, bitspersample=bits, colorspace=None
    )


def jpeg_2000(array: Array) -> bytes:
    return imagecodecs.jpeg2k_encode(array, level=0, reversible=True, codecformat="j2k")


def compressed(pixels: Array, syntax: str, frames: list[bytes], **tags: Any) -> Dataset:
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.SOPClassUID, ds.SOPInstanceUID = uid.MRImageStorage, "1.2.4"
    ds.SeriesInstanceUID, ds.Modality = "1.2.3", "MR"
    ds.NumberOfFrames, ds.Rows, ds.Columns = pixels.shape[:3]
    coloured = pixels.ndim == 4
    ds.SamplesPerPixel = 3 if coloured else 1
    ds.PhotometricInterpretation = "RGB" if coloured else "MONOCHROME2"
    if coloured:
        ds.PlanarConfiguration = 0
    bits = pixels.dtype.itemsize * 8
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = bits, bits, bits - 1
    ds.PixelRepresentation = int(pixels.dtype.kind == "i")
    ds.PixelData = encapsulate(frames)
    ds["PixelData"].is_undefined_length = True
    for key, value in tags.items():
        setattr(ds, key, value)
    return ds


@pytest.mark.parametrize(
    ("syntax", "encode", "pixels"),
    [
        *[(uid.JPEGLossless, lambda a, p=p: lossless(a, p), DEEP) for p in range(1, 8)],
        (uid.JPEGLosslessSV1, lambda a: lossless(a, 1), DEEP),
        (uid.JPEGLosslessSV1, lambda a: lossless(a, 1, 12), TWELVE),
        (uid.JPEGLosslessSV1, lambda a: lossless(a.view(np.uint16), 1), SIGNED),
        (uid.JPEGLosslessSV1, lambda a: lossless(a, 1, 8), COLOUR),
        (uid.JPEGLosslessSV1, lambda a: imagecodecs.ljpeg_encode(a, bitspersample=16), DEEP),
        (uid.JPEGLSLossless, imagecodecs.jpegls_encode, DEEP),
        (uid.JPEGLSLossless, imagecodecs.jpegls_encode, COLOUR),
        (uid.JPEGLSNearLossless, imagecodecs.jpegls_encode, TWELVE),
        (uid.JPEG2000Lossless, jpeg_2000, DEEP),
        (uid.JPEG2000Lossless, jpeg_2000, SIGNED),
        (uid.JPEG2000Lossless, jpeg_2000, COLOUR),
        (uid.JPEG2000Lossless, jpeg_2000, DEEP_COLOUR),
        (uid.JPEG2000, jpeg_2000, TWELVE),
        (uid.HTJ2KLossless, lambda a: imagecodecs.htj2k_encode(a, reversible=True), DEEP),
    ],
)
def test_lossless_pixels_are_bit_equal(
    tmp_path: Path, syntax: str, encode: Callable[[Array], bytes], pixels: Array
) -> None:
    frames = [encode(np.ascontiguousarray(frame)) for frame in pixels]
    compressed(pixels, syntax, frames).save_as(tmp_path / "a.dcm", enforce_file_format=True)
    scan = read_dicom(tmp_path / "a.dcm")
    np.testing.assert_array_equal(scan.data, pixels)
    assert scan.data.dtype == pixels.dtype


def test_jpeg_of_twelve_bits(tmp_path: Path) -> None:
    smooth = np.add.outer(np.arange(9), np.arange(13))[None].astype(np.uint16) * 150
    frames = [imagecodecs.jpeg8_encode(smooth[0], level=100, bitspersample=12)]
    compressed(smooth, uid.JPEGExtended12Bit, frames).save_as(tmp_path / "a.dcm")
    found = read_dicom(tmp_path / "a.dcm").data.astype(int)
    assert found.max() > 2900
    assert np.abs(found - smooth).max() <= 2


def test_a_frame_of_another_size_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    frame = bytearray(jpeg_2000(DEEP[0]))
    struct.pack_into(">2I", frame, 8, 60_000, 50_000)
    ds = compressed(DEEP[:1], uid.JPEG2000Lossless, [bytes(frame)])
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    words = r"a\.dcm is damaged .*50000 × 60000 pixels, and its header says 9 × 13\); copy"
    with pytest.raises(DataError, match=words):
        read_dicom(tmp_path / "a.dcm")


@pytest.mark.parametrize(
    "encoded",
    [
        lossless(DEEP[0], 1),
        imagecodecs.jpegls_encode(DEEP[0]),
        jpeg_2000(DEEP[0]),
        imagecodecs.jpeg2k_encode(DEEP[0], codecformat="jp2"),
        b"\xff\xd8\xff" + lossless(DEEP[0], 1)[2:],
    ],
)
def test_the_size_in_a_codestream(encoded: bytes) -> None:
    assert frame_size(encoded) == (9, 13)


@pytest.mark.parametrize("encoded", [b"", b"\xff\xd8", b"\xff\xd8\xff\xe0\x00\x04ab", b"\xff\x4f"])
def test_no_size_in_a_damaged_codestream(encoded: bytes) -> None:
    assert frame_size(encoded) is None


def test_a_jpeg_ls_image_is_read_without_its_end(tmp_path: Path) -> None:
    frames = [imagecodecs.jpegls_encode(frame).rstrip(b"\xff\xd9") for frame in DEEP]
    ds = compressed(DEEP, uid.JPEGLSLossless, frames)
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    np.testing.assert_array_equal(read_dicom(tmp_path / "a.dcm").data, DEEP)


def test_a_syntax_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    ds = compressed(DEEP, "1.2.840.10008.1.2.4.102", [b"film", b"film"])
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    words = r"a\.dcm holds pixels as MPEG-4 .*\(1\.2\.840\.10008\.1\.2\.4\.102\).*python-gdcm"
    with pytest.raises(DataError, match=words) as caught:
        read_dicom(tmp_path / "a.dcm")
    assert "copy it again" not in str(caught.value)


def plain(shape: tuple[int, int], pixels: bytes) -> Dataset:
    ds = compressed(np.zeros((1, *shape), np.uint16), uid.ExplicitVRLittleEndian, [])
    ds.PixelData = pixels
    ds["PixelData"].is_undefined_length = False
    return ds


def test_a_deflated_file_is_read(tmp_path: Path) -> None:
    # More than what is unpacked before the header is known.
    pixels = np.tile(DEEP[0], (400, 250))
    ds = plain(pixels.shape, pixels.tobytes())
    ds.file_meta.TransferSyntaxUID = uid.DeflatedExplicitVRLittleEndian
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    np.testing.assert_array_equal(read_dicom(tmp_path / "a.dcm").data[0], pixels)


@pytest.mark.parametrize("keyword", ["PixelData", "EncapsulatedDocument"])
def test_a_deflated_file_unpacks_to_no_more_than_its_header_claims(
    tmp_path: Path, keyword: str
) -> None:
    ds = plain((10, 10), bytes(200))
    setattr(ds, keyword, bytes(100 * 2**20))
    ds.file_meta.TransferSyntaxUID = uid.DeflatedExplicitVRLittleEndian
    dcmwrite(tmp_path / "a.dcm", ds, enforce_file_format=True)
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=r"a\.dcm is compressed and unpacks to more than the"):
            read_scan(tmp_path / "a.dcm")
        assert tracemalloc.get_traced_memory()[1] < 80 * 2**20
    finally:
        tracemalloc.stop()


def test_missing_syntax_of_compressed_pixels_is_told(tmp_path: Path) -> None:
    ds = compressed(DEEP, uid.JPEGLSLossless, [imagecodecs.jpegls_encode(f) for f in DEEP])
    del ds.file_meta
    pydicom.dcmwrite(tmp_path / "a.dcm", ds, implicit_vr=False, little_endian=True)
    with pytest.raises(DataError, match=r"a\.dcm holds compressed pixels.*not say how"):
        read_dicom(tmp_path / "a.dcm")
