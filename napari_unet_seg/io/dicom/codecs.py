"""Decoding of JPEG, JPEG Lossless, JPEG-LS and JPEG 2000 frames by imagecodecs, for pydicom.

pydicom and Pillow decode neither JPEG Lossless, which most archives compress with, nor JPEG of 12
bits, JPEG-LS, or colours of more than 8 bits. imagecodecs, which TIFF needs anyway, has decoders
of all of them, with permissive licences.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
from pydicom import uid
from pydicom.pixels.decoders.base import get_decoder

if TYPE_CHECKING:
    from pydicom.pixels.decoders.base import DecodeRunner

    from napari_unet_seg.arrays import Array

PLUGIN = "imagecodecs"
"""Name of the plugin, and of the package that it needs."""

_JPEG = (
    uid.JPEGBaseline8Bit,
    uid.JPEGExtended12Bit,
    uid.JPEGLossless,
    uid.JPEGLosslessSV1,
)
_JPEG_LS = (uid.JPEGLSLossless, uid.JPEGLSNearLossless)
_JPEG_2000 = (
    uid.JPEG2000Lossless,
    uid.JPEG2000,
    uid.HTJ2KLossless,
    uid.HTJ2KLosslessRPCL,
    uid.HTJ2K,
)
SYNTAXES = (*_JPEG, *_JPEG_LS, *_JPEG_2000)
"""Transfer syntaxes that the plugin decodes (PS3.5 A.4)."""
DECODER_DEPENDENCIES = dict.fromkeys(SYNTAXES, (PLUGIN,))
"""Read by pydicom."""

_START_OF_IMAGE, _END_OF_IMAGE = b"\xff\xd8", b"\xff\xd9"
_FRAME_HEADERS = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
"""Markers of the size of a JPEG or JPEG-LS image (ISO/IEC 10918-1 B.1.1.3, 14495-1 C.1.1)."""
_CODESTREAM = b"\xff\x4f\xff\x51"
"""Start of a JPEG 2000 codestream, and of the marker of its size (ISO/IEC 15444-1 A.4.1, A.5.1)."""


def register() -> None:
    """Make the plugin known to pydicom, once."""
    for syntax in SYNTAXES:
        decoder = get_decoder(syntax)
        if PLUGIN not in decoder.available_plugins and is_available(syntax):
            decoder.add_plugin(PLUGIN, (__name__, "decode_frame"))


def is_available(syntax: str) -> bool:
    """Whether the installed imagecodecs holds the decoder of a transfer syntax."""
    if syntax in _JPEG:
        return bool(imagecodecs.JPEG8.available)
    return bool((imagecodecs.JPEGLS if syntax in _JPEG_LS else imagecodecs.JPEG2K).available)


def decode_frame(source: bytes, runner: DecodeRunner) -> bytes:
    """Decode a frame, and tell pydicom how its bytes are arranged.

    Raises
    ------
    ValueError
        If the frame is of another size than the file's header says, before memory is allocated.
    """
    size = frame_size(source)
    if size != (runner.rows, runner.columns):
        claimed = "no image" if size is None else f"an image of {size[0]} × {size[1]} pixels"
        raise ValueError(
            f"its compressed data hold {claimed}, and its header says {runner.rows} × "
            f"{runner.columns}"
        )
    array = _decode(source, runner)
    if runner.samples_per_pixel > 1:
        runner.set_option("planar_configuration", 0)
    if runner.photometric_interpretation in ("YBR_ICT", "YBR_RCT"):
        # JPEG 2000 undoes these transforms itself.
        runner.set_option("photometric_interpretation", "RGB")
    runner.set_option("bits_allocated", array.dtype.itemsize * 8)
    return array.tobytes()


def frame_size(source: bytes) -> tuple[int, int] | None:
    """Return the number of rows and columns that a codestream claims; None if it has none."""
    if source[:2] != _START_OF_IMAGE:
        start = source.find(_CODESTREAM)
        if start < 0 or start + 24 > len(source):
            return None
        right, bottom, left, top = struct.unpack_from(">4I", source, start + 8)
        return bottom - top, right - left
    start = 2
    while start + 9 <= len(source):
        if source[start + 1] == 0xFF:  # markers may be preceded by fill bytes
            start += 1
            continue
        if source[start] == 0xFF and source[start + 1] in _FRAME_HEADERS:
            rows, columns = struct.unpack_from(">2H", source, start + 5)
            return rows, columns
        start += 2 + struct.unpack_from(">H", source, start + 2)[0]
    return None


def _decode(source: bytes, runner: DecodeRunner) -> Array:
    if runner.transfer_syntax in _JPEG_LS:
        # The decoder looks for the end for seconds where a stream is cut off.
        decoded = imagecodecs.jpegls_decode(source + _END_OF_IMAGE)
    elif runner.transfer_syntax in _JPEG_2000:
        decoded = imagecodecs.jpeg2k_decode(source)
    elif runner.samples_per_pixel == 3:
        # Equal colour spaces keep the values as stored; pydicom converts them by the header.
        decoded = imagecodecs.jpeg8_decode(source, colorspace="RGB", outcolorspace="RGB")
    else:
        decoded = imagecodecs.jpeg8_decode(source)
    return np.asarray(decoded)
