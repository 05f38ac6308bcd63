"""Images and volumes made to hurt: bombs, headers that lie, cycles, ends that never come."""

from __future__ import annotations

import gzip
import io
import os
import struct
import zlib
from typing import TYPE_CHECKING

import nibabel
import numpy as np
import pydicom
import tifffile
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

if TYPE_CHECKING:
    from pathlib import Path

_GIB = 2**30


def _png(width: int, height: int, packed: bytes) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        checked = kind + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", packed), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _zeros(size: int) -> bytes:
    """Deflated zeros, made piece by piece."""
    packer, piece = zlib.compressobj(9), bytes(2**20)
    packed = [packer.compress(piece) for _ in range(size // len(piece))]
    return b"".join([*packed, packer.flush()])


def png_bomb(path: Path) -> None:
    """32,767 × 32,767 zeros in 1 MB."""
    path.write_bytes(_png(2**15 - 1, 2**15 - 1, _zeros(_GIB)))


def png_header(path: Path) -> None:
    """Two thousand million columns and no pixels."""
    path.write_bytes(_png(2**31 - 1, 2**31 - 1, zlib.compress(b"\0")))


def jpeg_header(path: Path) -> None:
    """A JPEG whose header says 65,500 × 65,500."""
    buffer = io.BytesIO()
    Image.new("L", (64, 64)).save(buffer, "JPEG")
    data = bytearray(buffer.getvalue())
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", 65_500, 65_500)
    path.write_bytes(bytes(data))


def jpeg_text(path: Path) -> None:
    """Text that is called a JPEG."""
    path.write_text("This is not the picture you are looking for.\n" * 100)


def _tiff(path: Path, changes: dict[str, int]) -> None:
    """Write a small TIFF, and change numbers of its tags."""
    tifffile.imwrite(path, np.zeros((64, 64), np.uint8), photometric="minisblack")
    with tifffile.TiffFile(path, mode="r+b") as file:
        for name, value in changes.items():
            file.pages[0].tags[name].overwrite(value)


def tiff_header(path: Path) -> None:
    """A TIFF of two thousand million columns."""
    _tiff(path, {"ImageWidth": 2**31 - 1, "ImageLength": 2**31 - 1})


def tiff_bomb(path: Path) -> None:
    """A truthful TIFF of 32,768 × 32,768 zeros in 1 MB."""
    packed = _zeros(_GIB)
    side = 2**15
    tifffile.imwrite(
        path, iter([packed]), shape=(side, side), dtype=np.uint8, compression="adobe_deflate",
        rowsperstrip=side, photometric="minisblack",
    )  # fmt: skip


def tiff_cycle(path: Path) -> None:
    """A TIFF whose only page is followed by itself."""
    _tiff(path, {})
    data = bytearray(path.read_bytes())
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    struct.pack_into("<I", data, at + 2 + 12 * count, at)
    path.write_bytes(bytes(data))


def tiff_offsets(path: Path) -> None:
    """A TIFF whose pixels begin behind its end."""
    _tiff(path, {"StripOffsets": 2**32 - 1})


def _nifti_header(shape: tuple[int, ...]) -> bytes:
    header = nibabel.Nifti1Header()
    header.set_data_dtype(np.float64)
    header["dim"][: len(shape) + 1] = (len(shape), *shape)
    header["vox_offset"], header["magic"] = 352, b"n+1"
    return bytes(header.binaryblock) + bytes(4)


def nifti_header(path: Path) -> None:
    """A header that promises 256 TiB."""
    path.write_bytes(_nifti_header((32_767, 32_767, 32_767)))


def nifti_bomb(path: Path) -> None:
    """A truthful volume of 1 GiB of zeros in 1 MB."""
    with gzip.open(path, "wb", compresslevel=9) as file:
        file.write(_nifti_header((512, 512, 512)))
        for _ in range(1024):
            file.write(bytes(2**20))


def nifti_surplus(path: Path) -> None:
    """A volume of 16 × 16 × 16 before 1 GiB of zeros."""
    with gzip.open(path, "wb", compresslevel=9) as file:
        file.write(_nifti_header((16, 16, 16)))
        for _ in range(1024):
            file.write(bytes(2**20))


def nifti_nan(path: Path) -> None:
    """An affine that is no number."""
    image = nibabel.Nifti1Image(np.zeros((16, 16, 16), np.uint8), np.diag([1, 1, 1, 1.0]))
    image.header["srow_x"] = image.header["pixdim"][1:5] = np.nan
    image.header["sform_code"] = image.header["qform_code"] = 1
    path.write_bytes(image.to_bytes())


def npy_header(path: Path) -> None:
    """An array that would need 8 PB."""
    text = "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000, 1000000)}"
    head = text.ljust(117).encode() + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\0" + struct.pack("<H", len(head)) + head)


class _Planted:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("echo Traceback: planted code has run >&2",)


def npy_code(path: Path) -> None:
    """An array of objects, which would run a command."""
    np.save(path, np.array([_Planted()], object), allow_pickle=True)


def _dicom(path: Path, pixels: bytes, *, deflated: bool = False, **changes: object) -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    if deflated:
        meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset = FileDataset(str(path), {}, file_meta=meta, preamble=bytes(128))
    known = {
        "SOPClassUID": meta.MediaStorageSOPClassUID,
        "SOPInstanceUID": meta.MediaStorageSOPInstanceUID,
        "SeriesInstanceUID": "1.2.3", "Modality": "MR", "Rows": 16, "Columns": 16,
        "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "BitsAllocated": 16,
        "BitsStored": 16, "HighBit": 15, "PixelRepresentation": 0, "PixelSpacing": [1, 1],
        "ImagePositionPatient": [0, 0, 0], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
    }  # fmt: skip
    for name, value in (known | changes).items():
        setattr(dataset, name, value)
    dataset.PixelData = pixels
    dataset["PixelData"].VR = "OW"
    dataset.save_as(path, enforce_file_format=True)


def dicom_bomb(path: Path) -> None:
    """A deflated DICOM of 16 × 16 pixels that unpacks to 1 GiB."""
    _dicom(path, bytes(_GIB), deflated=True)


def dicom_header(path: Path) -> None:
    """65,535 × 65,535 pixels, of which there are 256."""
    _dicom(path, bytes(512), Rows=65_535, Columns=65_535)


def dicom_frames(path: Path) -> None:
    """Two thousand million frames, of which there is one."""
    _dicom(path, bytes(512), NumberOfFrames=2**31 - 1)


def dicom_surplus(path: Path) -> None:
    """Twenty frames, and a header that says one."""
    _dicom(path, bytes(512 * 20), NumberOfFrames=1)


def pipe(path: Path) -> None:
    """A named pipe, into which nobody writes."""
    os.mkfifo(path)


def endless(path: Path) -> None:
    """A link to a device that never ends."""
    path.symlink_to("/dev/zero")


def empty(path: Path) -> None:
    """Nothing."""
    path.touch()


IMAGES = (
    (png_bomb, "a.png"), (png_header, "a.png"), (jpeg_header, "a.jpg"), (jpeg_text, "a.jpg"),
    (tiff_header, "a.tif"), (tiff_bomb, "a.tif"), (tiff_cycle, "a.tif"), (tiff_offsets, "a.tif"),
    (nifti_header, "a.nii"), (nifti_bomb, "a.nii.gz"), (nifti_surplus, "a.nii.gz"),
    (nifti_nan, "a.nii"), (npy_header, "a.npy"), (npy_code, "a.npy"), (dicom_bomb, "a.dcm"),
    (dicom_header, "a.dcm"), (dicom_frames, "a.dcm"), (dicom_surplus, "a.dcm"),
    *((make, f"a{suffix}") for make in (pipe, endless, empty)
      for suffix in (".tif", ".png", ".nii.gz", ".dcm", ".npy", ".json", ".safetensors", ".yaml")
      if (make, suffix) != (empty, ".yaml")),  # which is all defaults
)  # fmt: skip
