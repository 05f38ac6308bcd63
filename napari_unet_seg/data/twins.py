"""Near-duplicate slices (twins), including mirrored and rotated copies."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from napari_unet_seg.io.common.window import to_grey

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_unet_seg.arrays import Array


THUMBNAIL = 32
_CHUNK = 1024
_ROUNDING = 1e-4
_TWINS = 0.98
"""Pearson correlation above which two slices are twins."""


def twin_groups(thumbnails: Array) -> Array:
    """Group slices whose correlation exceeds that of twins in any of eight orientations.

    Parameters
    ----------
    thumbnails : array
        Slices resized to small squares, of shape (N, S, S). `THUMBNAIL` pixels are enough to
        distinguish slices, and few enough for 10,000 slices.

    Returns
    -------
    array
        Group number of each slice, of shape (N,); twins of twins share a group.
    """
    # Blank slices are no copies of each other, and there may be thousands.
    shown = np.flatnonzero(np.ptp(thumbnails, axis=(1, 2)))
    if not shown.size:
        return np.arange(len(thumbnails))
    vectors = _unit_vectors(thumbnails[shown])
    turned = [_unit_vectors(images) for images in _orientations(thumbnails[shown])]
    rows, columns = [], []
    for row, column in _candidates(np.mean(turned, axis=0)):
        near = np.zeros(len(row), bool)
        for oriented in turned:
            near |= np.einsum("ij,ij->i", vectors[row], oriented[column]) > _TWINS
        rows.append(shown[row[near]])
        columns.append(shown[column[near]])
    return _components(np.concatenate(rows), np.concatenate(columns), len(thumbnails))


def _candidates(symmetric: Array) -> Iterator[tuple[Array, Array]]:
    """Yield pairs of slices whose means over all orientations are close enough for twins.

    The mean over all orientations is an orthogonal projection, which never increases the distance
    of two slices; unit vectors of correlation c have the distance √(2 − 2c).
    """
    half = (symmetric**2).sum(axis=1) / 2
    for start in range(0, len(symmetric), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        products = symmetric[chunk] @ symmetric[start:].T
        near = half[chunk, None] + half[None, start:] - products < 1 - _TWINS + _ROUNDING
        row, column = np.nonzero(near)
        for part in range(0, len(row), _CHUNK):
            cut = slice(part, part + _CHUNK)
            yield row[cut] + start, column[cut] + start


def join_groups(groups: Sequence[str], twins: Sequence[int]) -> list[str]:
    """Join the groups that share twins.

    Parameters
    ----------
    groups : sequence of str
        Group of each sample.
    twins : sequence of int
        Number of the twin group of each sample, from `twin_groups`.

    Returns
    -------
    list of str
        Joined group of each sample.
    """
    names, number = np.unique(np.asarray(groups, dtype=object).astype(str), return_inverse=True)
    joined = _components(number, len(names) + np.asarray(twins), len(names) + max(twins) + 1)
    first = {int(j): str(n) for j, n in zip(joined[number][::-1], groups[::-1], strict=True)}
    return [first[int(j)] for j in joined[number]]


def thumbnail(picture: Array) -> Array:
    """Resize an image of any size, dtype and channels to a grey float32 square (32, 32)."""
    grey = to_grey(picture) if picture.ndim == 3 else picture
    clean = np.nan_to_num(grey.astype(np.float32), posinf=0, neginf=0)
    size = (THUMBNAIL, THUMBNAIL)
    return np.asarray(Image.fromarray(clean).resize(size, Image.Resampling.BOX))


def thumbnails(images: Array) -> Array:
    """Average uint8 images of shape (N, C, S, S) to grey float32 squares of about 32 pixels.

    Blocks of whole pixels are averaged; the last pixels of a side that is not a multiple of the
    block are left out.
    """
    size = images.shape[-1]
    step = max(1, size // THUMBNAIL)
    side = size // step * step
    cut = images[..., :side, :side].reshape(*images.shape[:2], side // step, step, -1, step)
    # One image at a time, since floats of all images need four times the memory of the images.
    return np.stack([image.mean(axis=(0, 2, 4), dtype=np.float32) for image in cut])


def twin_note(groups: Sequence[str], twins: Sequence[int], held_out: Sequence[bool]) -> str:
    """Return a note on the near-duplicates and their splits; empty if there are none.

    Parameters
    ----------
    groups : sequence of str
        Patient or scan of each slice: similar slices of one scan do not count.
    twins : sequence of int
        Number of the twin group of each slice, from `twin_groups`.
    held_out : sequence of bool
        Whether each slice is held out.
    """
    members: dict[int, list[int]] = defaultdict(list)
    for place, twin in enumerate(twins):
        members[twin].append(place)
    found = [m for m in members.values() if len({groups[place] for place in m}) > 1]
    if not found:
        return ""
    sides = [{held_out[place] for place in m} for m in found]
    count = sum(len(m) for m in found)
    split = sum(held_out[p] for m, s in zip(found, sides, strict=True) if len(s) > 1 for p in m)
    number = "1 group" if len(found) == 1 else f"{len(found)} groups"
    note = (
        f"{count} slices are near-copies of others (also mirrored or rotated), in {number}: "
        f"{sides.count({False})} in the training split, {sides.count({True})} held out"
    )
    if not split:
        return f"{note}."
    return (
        f"{note}, {sum(len(s) > 1 for s in sides)} in both, which makes the metrics of {split} "
        "held-out slices too good."
    )


def _components(row: Array, column: Array, count: int) -> Array:
    graph = coo_array((np.ones(len(row), np.uint8), (row, column)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1])


def _orientations(images: Array) -> list[Array]:
    """Return the four rotations of the images and of their mirror images."""
    rotated = [np.rot90(images, k, axes=(1, 2)) for k in range(4)]
    return rotated + [r[:, :, ::-1] for r in rotated]


def _unit_vectors(images: Array) -> Array:
    flat = images.reshape(len(images), -1).astype(np.float32)
    flat = flat - flat.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.asarray(flat / np.maximum(norm, 1e-6))
