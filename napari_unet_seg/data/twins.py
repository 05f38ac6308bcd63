"""Near-duplicate slices, mirrored and rotated ones too (numpy only)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Array = np.ndarray[Any, np.dtype[Any]]

THUMBNAIL = 32
_CHUNK = 1024


def twin_groups(thumbnails: Array, threshold: float = 0.98) -> Array:
    """Group slices whose correlation exceeds a threshold in any of eight orientations.

    Parameters
    ----------
    thumbnails : array
        Slices brought to a small square, of shape (N, S, S); `THUMBNAIL` pixels are enough to
        tell slices apart and few enough for 10,000 slices.
    threshold : float
        Pearson correlation above which two slices are twins.

    Returns
    -------
    array
        Group number of each slice, of shape (N,); twins of twins share a group.
    """
    count = len(thumbnails)
    reference = _unit_vectors(thumbnails)
    rows, columns = [], []
    for oriented in _orientations(thumbnails):
        vectors = _unit_vectors(oriented)
        for start in range(0, count, _CHUNK):
            near = reference[start : start + _CHUNK] @ vectors.T > threshold
            row, column = np.nonzero(near)
            rows.append(row + start)
            columns.append(column)
    row, column = np.concatenate(rows), np.concatenate(columns)
    graph = coo_array((np.ones(len(row), np.uint8), (row, column)), shape=(count, count))
    _, groups = connected_components(graph, directed=False)
    return np.asarray(groups)


def _orientations(images: Array) -> list[Array]:
    """The four rotations of the images and of their mirror images."""
    turned = [np.rot90(images, k, axes=(1, 2)) for k in range(4)]
    return turned + [t[:, :, ::-1] for t in turned]


def _unit_vectors(images: Array) -> Array:
    flat = images.reshape(len(images), -1).astype(np.float32)
    flat = flat - flat.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.asarray(flat / np.maximum(norm, 1e-6))
