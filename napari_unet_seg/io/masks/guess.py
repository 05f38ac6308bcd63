"""Scans that are masks by their values, as programs write them without saying so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.config import MOST_NUMBERED
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.channels import is_colour
from napari_unet_seg.io.masks.values import Meaning, classify, is_whole, to_labels

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.common.scan import Scan

MOST_LABELS = 32
"""Most different values of an array that is taken for a mask, with 0."""
_SUFFIXES = (".nii", ".nii.gz", ".tif", ".tiff")
_SAMPLED = 100_000


def labels_in(scan: Scan) -> Array | None:
    """Return the labels of a NIfTI or TIFF that is a mask by its values; None for other scans.

    Of a mask all values are whole and not negative, at most 32 different ones, and most are 0. The
    labels are as `read_labels` returns them: 0 and 255 become 0 and 1.
    """
    name = "" if scan.path is None else scan.path.name.lower()
    if not name.endswith(_SUFFIXES) or "C" in scan.axes or is_colour(scan):
        return None
    values = np.asarray(scan.data)
    if not _are_few_whole_numbers(values):
        return None
    try:
        reading = classify(values, name)
        is_mask = reading.meaning in (Meaning.TWO_LEVELS, Meaning.LABELS)
        return to_labels(values, reading, name) if is_mask else None
    except DataError:  # labels that no mask can hold
        return None


def _are_few_whole_numbers(values: Array) -> bool:
    sampled = values.ravel()[:: max(1, values.size // _SAMPLED)]
    if values.dtype.kind not in "buif" or not _are_whole(sampled) or not _are_whole(values):
        return False
    if values.dtype.kind != "b" and not 0 < float(values.max(initial=0)) <= MOST_NUMBERED:
        return False
    whole = np.rint(values) if values.dtype.kind == "f" else values
    counts = np.bincount(whole.astype(np.uint16).ravel())
    is_few = 1 < np.count_nonzero(counts) <= MOST_LABELS
    return bool(is_few and 2 * counts[0] > values.size)


def _are_whole(values: Array) -> bool:
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        return False
    return is_whole(values) and (values.dtype.kind == "b" or float(values.min(initial=0)) >= 0)
