"""Opening of DICOM files as pydicom data sets, also without preamble and deflated."""

from __future__ import annotations

import math
import zlib
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO

import pydicom
from pydicom.filereader import read_dataset, read_partial
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.disk.files import mapped, reading

if TYPE_CHECKING:
    from pathlib import Path

_META = 132
"""Offset of the file's meta elements, after the preamble and its mark (PS3.10 7.1)."""
_MARK = b"DICM"
_META_GROUP = 0x0002
_SOP_CLASS = 0x00080016
_HEADER = 2**24
"""Largest number of bytes that the elements other than the pixels unpack to."""
_LONGEST_NAME = 120


def open_dataset(path: Path, **options: Any) -> pydicom.Dataset:
    """Read a file with pydicom, and raise pydicom's errors.

    A file without preamble or transfer syntax gets the uncompressed syntax that its elements are
    written in. A deflated file (PS3.5 A.5) is unpacked to the size that its header claims, no more.

    Raises
    ------
    DataError
        If a deflated file unpacks to more.
    """
    with mapped(path) as whole:
        meta = _meta_of(whole)
        if not _is_deflated(meta):
            whole.seek(0)
            return _with_syntax(pydicom.dcmread(whole, force=True, **options))
        unpacked = BytesIO(_inflated(whole.read(), path))
        dataset = pydicom.dcmread(unpacked, force=True, **options)
        dataset.file_meta = pydicom.dataset.FileMetaDataset(meta)
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        return dataset


def what_is(path: Path) -> str:
    """Return what a file without an image is, for messages; empty if the file does not say."""
    if not path.is_file():
        return ""
    with reading(path, "DICOM"):
        kind = kind_of(open_dataset(path, stop_before_pixels=True))
    return f" (it is of the kind {described(kind)})" if kind else ""


def described(uid: UID) -> str:
    """Return the name of a UID of the standard; else the UID, which may be any text if damaged."""
    name = " ".join(uid.name.split())
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"


def quick_kind(path: Path) -> UID:
    """Return the SOP class of a file, of which only the first elements are read."""
    with mapped(path) as whole:
        if _is_deflated(_meta_of(whole)):
            # `read_partial` would unpack all of it, whatever its size.
            return kind_of(open_dataset(path, stop_before_pixels=True))
        whole.seek(0)
        header = read_partial(whole, lambda tag, *_: tag > _SOP_CLASS, force=True)
        return UID(str(header.get("SOPClassUID", "")))


def kind_of(header: pydicom.Dataset) -> UID:
    """Return the SOP class of a file (PS3.4 B.5)."""
    own = header.get("SOPClassUID", "") or header.file_meta.get("MediaStorageSOPClassUID", "")
    return UID(str(own))


def _meta_of(whole: BinaryIO) -> pydicom.Dataset:
    """Read the file's meta elements, and stop at the first of its other elements."""
    whole.seek(_META - len(_MARK))
    if whole.read(len(_MARK)) != _MARK:
        return pydicom.Dataset()
    return read_dataset(
        whole,
        is_implicit_VR=False,
        is_little_endian=True,
        stop_when=lambda tag, *_: tag.group != _META_GROUP,
    )


def _is_deflated(meta: pydicom.Dataset) -> bool:
    return bool(meta.get("TransferSyntaxUID", "") == DeflatedExplicitVRLittleEndian)


def _inflated(packed: bytes, path: Path) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    start = inflater.decompress(packed, _HEADER)
    if not inflater.unconsumed_tail:
        return start
    header = pydicom.dcmread(BytesIO(start), force=True, stop_before_pixels=True)
    rest = inflater.decompress(inflater.unconsumed_tail, _HEADER + _pixel_bytes(header))
    if inflater.unconsumed_tail:
        raise DataError(
            f"{path} is compressed and unpacks to more than the {_pixel_bytes(header)} bytes of "
            "pixels that its header claims; export it again from where it comes from."
        )
    return start + rest


def _pixel_bytes(header: pydicom.Dataset) -> int:
    sizes = ("NumberOfFrames", "Rows", "Columns", "SamplesPerPixel", "BitsAllocated")
    return math.prod(int(header.get(name, None) or 1) for name in sizes) // 8


def _with_syntax(dataset: pydicom.Dataset) -> pydicom.Dataset:
    if "TransferSyntaxUID" in dataset.file_meta or _is_compressed(dataset):
        return dataset
    is_implicit, is_little = dataset.original_encoding
    if is_implicit:
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    else:
        explicit = ExplicitVRLittleEndian if is_little else ExplicitVRBigEndian
        dataset.file_meta.TransferSyntaxUID = explicit
    return dataset


def _is_compressed(dataset: pydicom.Dataset) -> bool:
    """Whether the pixels have no length, as compressed pixels do (PS3.5 A.4)."""
    return "PixelData" in dataset and bool(dataset["PixelData"].is_undefined_length)
