"""Run-length encodings of COCO: column by column, the first run background."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

Array = np.ndarray[Any, np.dtype[Any]]

_LONGEST = 7
"""Characters of five bits each that hold the longest run pycocotools can store."""


def read_rle(rle: Mapping[str, Any], height: int, width: int) -> Array:
    """Return the runs of a compressed or uncompressed RLE, checked against the image's size.

    The checks come before pycocotools sees the string, since it reads beyond the end of a
    broken one.

    Raises
    ------
    ValueError
        If it is malformed or belongs to an image of another size; the text says how.
    """
    size = rle.get("size")
    if size is not None and size != [height, width] and size != (height, width):
        raise ValueError(f"its RLE is for the size {size} and not [{height}, {width}]")
    counts = rle.get("counts")
    if isinstance(counts, str | bytes):
        runs = _parse(counts)
    elif isinstance(counts, list) and set(map(type, counts)) <= {int}:
        runs = _from_list(counts, height * width)
    else:
        raise ValueError("its RLE has no usable counts")
    if (runs < 0).any() or int(runs.sum()) != height * width:
        raise ValueError(f"its RLE does not cover {width} × {height} pixels")
    return runs


def _from_list(counts: list[int], total: int) -> Array:
    if counts and (min(counts) < 0 or max(counts) > total):
        raise ValueError("its RLE has runs longer than the image")
    return np.array(counts, np.int64)


def _parse(text: str | bytes) -> Array:
    """Undo the string form: five bits a character, each run less the one two places before."""
    try:
        raw = text.encode("ascii") if isinstance(text, str) else text
    except UnicodeEncodeError:
        raise ValueError("its RLE string is broken") from None
    codes = np.frombuffer(raw, np.uint8).astype(np.int64) - 48
    if not len(codes) or codes.min() < 0 or codes.max() > 63 or codes[-1] & 0x20:
        raise ValueError("its RLE string is broken")
    ends = np.flatnonzero((codes & 0x20) == 0)
    starts = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts + 1
    if lengths.max() > _LONGEST:
        raise ValueError("its RLE string is broken")
    shifts = 5 * (np.arange(len(codes)) - np.repeat(starts, lengths))
    values = np.add.reduceat((codes & 0x1F) << shifts, starts)
    values -= np.where(codes[ends] & 0x10, 1 << (5 * lengths), 0)
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return values


def pixels(runs: Array) -> Array:
    """Return the foreground's indices into the image's pixels in column-major order."""
    lengths = runs[1::2]
    starts = np.cumsum(runs)[: 2 * len(lengths) : 2]
    before = np.cumsum(lengths) - lengths
    return np.repeat(starts - before, lengths) + np.arange(int(lengths.sum()))
