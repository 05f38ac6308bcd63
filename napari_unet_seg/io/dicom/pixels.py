"""Decoding of the frames of a file, whose number must be the one in the header."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import pixel_array
from pydicom.uid import UID

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.dicom.codecs import PLUGIN, SYNTAXES, register
from napari_unet_seg.io.dicom.files import described

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom import Dataset

    from napari_unet_seg.arrays import Array

_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_TABLES = tuple(f"{colour}PaletteColorLookupTableData" for colour in ("Red", "Green", "Blue"))

register()


def frame_count(header: Dataset) -> int:
    """Return the number of frames that a header claims."""
    return int(header.get("NumberOfFrames", None) or 1)


def decode(dataset: Dataset, path: Path) -> Array:
    """Return all frames of a file, of shape (frames, rows, columns[, samples]).

    Colours of a palette are looked up; a palette of greys gives grey frames.

    Raises
    ------
    DataError
        If the file holds no pixels or another number of frames than its header claims, or its
        compression is not known. Other errors are those of pydicom.
    """
    _check_readable(dataset, path)
    decoded = _decoded(dataset, path)
    coloured = int(dataset.get("SamplesPerPixel", None) or 1) > 1
    frames = decoded[None] if decoded.ndim == 2 + coloured else decoded
    if len(frames) != frame_count(dataset):
        raise DataError(
            f"{path} holds {len(frames)} frames and its header claims {frame_count(dataset)}; "
            "export it again from where it comes from."
        )
    if dataset.get("PhotometricInterpretation", "") == "PALETTE COLOR":
        return _looked_up(frames, dataset, path)
    return frames


def _check_readable(dataset: Dataset, path: Path) -> None:
    if not any(keyword in dataset for keyword in _PIXELS):
        raise DataError(f"{path} holds a header without pixels, or is truncated; copy it again.")
    syntax = UID(str(dataset.file_meta.get("TransferSyntaxUID", "")))
    if not syntax:
        raise DataError(
            f"{path} holds compressed pixels, and its header does not say how they are compressed; "
            "export it again from where it comes from."
        )
    named = described(syntax) + f" ({syntax})" * (syntax.name != syntax)
    try:
        is_available = get_decoder(syntax).is_available
    except NotImplementedError:
        raise DataError(
            f"{path} holds pixels as {named}, which cannot be read; export it "
            "uncompressed, or convert it with gdcmconv --raw of the package python-gdcm."
        ) from None
    if not is_available:
        raise DataError(
            f"{path} holds pixels as {named}, which the installed {PLUGIN} does "
            f"not decode; install the newest {PLUGIN}."
        )


def _decoded(dataset: Dataset, path: Path) -> Array:
    plugin = PLUGIN if dataset.file_meta.TransferSyntaxUID in SYNTAXES else ""
    with warnings.catch_warnings():
        # pydicom warns of surplus frames, and returns them; and of colour spaces, as it reads them.
        warnings.filterwarnings("ignore", ".*(frames|Photometric Interpretation)", UserWarning)
        try:
            return np.asarray(pixel_array(dataset, decoding_plugin=plugin))
        except StopIteration:  # raised where compressed frames are missing
            raise DataError(
                f"{path} holds fewer than the {frame_count(dataset)} frames that its header "
                "claims; copy it again."
            ) from None
        except RuntimeError as error:
            if not plugin:
                raise
            reason = str(error).rpartition(f"{PLUGIN}: ")[2].rstrip(".")
            raise DataError(f"{path} is damaged ({reason}); copy it again.") from error


def _looked_up(frames: Array, dataset: Dataset, path: Path) -> Array:
    """Return the colours of palette indices as 8 bits (PS3.3 C.7.9); greys keep their bits."""
    if not all(dataset.get(keyword, None) for keyword in _TABLES):
        raise DataError(
            f"{path} holds colours of a palette, and the palette is missing; export it as RGB or "
            "grey."
        )
    red, green, blue = (bytes(dataset.get(keyword)) for keyword in _TABLES)
    colours = np.stack([apply_color_lut(frame, dataset) for frame in frames])
    if red == green == blue:
        return np.ascontiguousarray(colours[..., 0])
    return colours if colours.dtype == np.uint8 else (colours >> 8).astype(np.uint8)
