"""Run-length encodings (RLE) of COCO: column by column, starting with a run of background."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_unet_seg.arrays import Array


_BLOCK = 2**20
"""Number of characters that are decoded at once; each needs 80 bytes."""
_LONGEST = 7
"""Number of characters, of five bits each, of the longest run that pycocotools can store."""


def read_rle(rle: Mapping[str, Any], height: int, width: int) -> Array:
    """Return the runs of a compressed or uncompressed RLE, checked against the image's size.

    The string is checked before it reaches pycocotools, which reads beyond the end of a damaged
    string.

    Raises
    ------
    ValueError
        If the RLE is malformed or belongs to an image of another size; the text is the reason.
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
    """Check and decode the string form."""
    try:
        raw = text.encode("ascii") if isinstance(text, str) else text
    except UnicodeEncodeError:
        raise ValueError("its RLE string is broken") from None
    codes = np.frombuffer(raw, np.uint8)
    if not len(codes) or codes.min() < 48 or codes.max() > 111 or _goes_on(codes[-1]):
        raise ValueError("its RLE string is broken")
    if np.diff(np.flatnonzero(~_goes_on(codes)), prepend=-1).max() > _LONGEST:
        raise ValueError("its RLE string is broken")
    return decode_one(raw)


class Runs(NamedTuple):
    """The runs of several RLEs, concatenated."""

    runs: Array
    counts: Array
    """Number of runs of each RLE."""


def _goes_on(codes: Array) -> Array:
    """Whether a run goes on after a character."""
    return np.asarray((codes - 48) & 0x20 != 0)


def decode_one(text: bytes) -> Array:
    """Decode the string form of one RLE of any length, which is not checked."""
    codes = np.frombuffer(text, np.uint8)
    parts, start = [], 0
    while start < len(codes):
        end = min(start + _BLOCK, len(codes))
        while _goes_on(codes[end - 1]):
            end -= 1
        parts.append(_differences(codes[start:end])[0])
        start = end
    runs = np.concatenate(parts)
    for first in (1, 2):
        np.cumsum(runs[first::2], out=runs[first::2])
    return runs


def _differences(codes: Array) -> tuple[Array, Array]:
    """Return each run minus the run two before, and the place of its last character."""
    codes = codes.astype(np.int64) - 48
    ends = np.flatnonzero((codes & 0x20) == 0)
    starts = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts + 1
    shifts = 5 * (np.arange(len(codes)) - np.repeat(starts, lengths))
    runs = np.add.reduceat((codes & 0x1F) << shifts, starts)
    runs -= np.where(codes[ends] & 0x10, 1 << (5 * lengths), 0)
    return runs, ends


def decode(texts: Sequence[bytes]) -> Runs:
    """Decode the string form: five bits per character, each run minus the run two before.

    Decoding many short strings at once takes a tenth of the time. The strings are not checked: they
    come from pycocotools, or were checked before.
    """
    runs, ends = _differences(np.frombuffer(b"".join(texts), np.uint8))
    bounds = np.searchsorted(ends, np.cumsum([0, *map(len, texts)]))
    counts = np.diff(bounds)
    place = np.arange(len(runs)) - np.repeat(bounds[:-1], counts)
    whose = np.repeat(np.arange(len(texts)), counts)
    for parity in (0, 1):
        chain = np.flatnonzero((place % 2 == parity) & (place > 0))
        runs[chain] = _sums(runs[chain], whose[chain])
    return Runs(runs, counts)


def _sums(values: Array, whose: Array) -> Array:
    """Return cumulative sums that restart where the owner changes."""
    sums = np.cumsum(values)
    first = np.flatnonzero(np.diff(whose, prepend=-1))
    before = (sums - values)[first]
    return np.asarray(sums - np.repeat(before, np.diff(np.append(first, len(values)))))


def pixels_of_each(found: Runs) -> list[Array]:
    """Return the foreground pixels of each RLE, as indices in column-major order."""
    runs, counts = found
    lasts = np.cumsum(counts)
    whose = np.repeat(np.arange(len(counts)), counts)
    odd = (np.arange(len(runs)) - np.repeat(lasts - counts, counts)) % 2 == 1
    starts = _sums(runs, whose)[odd] - runs[odd]
    lengths = runs[odd]
    before = np.cumsum(lengths) - lengths
    indices = np.repeat(starts - before, lengths)
    indices += np.arange(len(indices))
    sizes = np.bincount(whose[odd], lengths, len(counts)).astype(np.int64)
    return np.split(indices, np.cumsum(sizes)[:-1])


def pixels_of_all(runs: Sequence[Array]) -> list[Array]:
    """Return the foreground pixels of RLEs that were read one by one, see `pixels_of_each`."""
    if not runs:
        return []
    return pixels_of_each(Runs(np.concatenate(runs), np.array([len(own) for own in runs])))
