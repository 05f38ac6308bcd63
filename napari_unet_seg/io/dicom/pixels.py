"""Decoding of the frames of a file, whose number must be the one in the header."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from pydicom.pixels.utils import pixel_array

from napari_unet_seg.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom import Dataset

    from napari_unet_seg.arrays import Array


def frame_count(header: Dataset) -> int:
    """Return the number of frames that a header claims."""
    return int(header.get("NumberOfFrames", None) or 1)


def decode(dataset: Dataset, path: Path) -> Array:
    """Return all frames of a file, of shape (frames, rows, columns[, samples]).

    Raises
    ------
    DataError
        If the file holds another number of frames than its header claims. Other errors are those
        of pydicom.
    """
    with warnings.catch_warnings():
        # pydicom warns of surplus frames, and returns them.
        warnings.filterwarnings("ignore", ".*frames", UserWarning)
        try:
            decoded = np.asarray(pixel_array(dataset))
        except StopIteration:  # raised where compressed frames are missing
            raise DataError(
                f"{path} holds fewer than the {frame_count(dataset)} frames that its header "
                "claims; copy it again."
            ) from None
    coloured = int(dataset.get("SamplesPerPixel", None) or 1) > 1
    frames = decoded[None] if decoded.ndim == 2 + coloured else decoded
    if len(frames) != frame_count(dataset):
        raise DataError(
            f"{path} holds {len(frames)} frames and its header claims {frame_count(dataset)}; "
            "export it again from where it comes from."
        )
    return frames
