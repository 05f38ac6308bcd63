"""The pixels that the prompts of a person cover on a plane: discs, strokes, boxes and lassos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from napari_unet_seg.correct.prompts import Marks, ellipse_in
from napari_unet_seg.correct.shapes import box_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_unet_seg.correct.shapes import Mask

PromptKind = Literal["click", "scribble", "box", "lasso"]
AREAS: tuple[PromptKind, ...] = ("box", "lasso")
"""Prompts that say where the whole object is."""

_DISC = 2 / 256
"""Radius of a click in the training of the packaged network, as a share of the longer side."""
_CLOSER = 0.65
"""Share of that radius on planes larger than those of training, which the network sees closer."""


class Prompt(NamedTuple):
    """A rough mark by a person on a plane."""

    kind: PromptKind
    inside: bool
    """Whether it says what the object is, or what it is not."""
    points: tuple[tuple[float, float], ...]
    """Row and column in pixels: of a click, along a line, or of two corners of a box."""


def marks_of(prompts: Iterable[Prompt], shape: tuple[int, ...]) -> Marks:
    """Return the pixels that prompts cover; of contradicting prompts the last one counts."""
    marks = Marks.none(shape)
    for prompt in prompts:
        marks = _marks(prompt, shape).joined(marks)
    return marks


def drawn_pixels(prompt: Prompt, shape: tuple[int, ...]) -> Mask:
    """Return the pixels that show a prompt: of a box or lasso the edge."""
    from scipy.ndimage import binary_erosion

    covered = covered_by(prompt, shape)
    if prompt.kind not in AREAS:
        return covered
    width = max(1, round(disc_radius(shape) / 2))
    return np.asarray(covered & ~binary_erosion(covered, iterations=width, border_value=1))


def covered_by(prompt: Prompt, shape: tuple[int, ...]) -> Mask:
    """Return the pixels that a prompt covers."""
    if prompt.kind == "box":
        return _in_box(np.array(prompt.points), shape)
    if prompt.kind == "lasso":
        return _in_polygon(np.array(prompt.points), shape)
    radius = disc_radius(shape) / (1 if prompt.kind == "click" else 2)
    return _along(np.array(prompt.points), radius, shape)


def likely_object(prompt: Prompt, shape: tuple[int, ...]) -> Mask:
    """Return the object that a box or lasso encloses if nothing else is known of it."""
    covered = covered_by(prompt, shape)
    return ellipse_in(covered) if prompt.kind == "box" else covered


def disc_radius(shape: tuple[int, ...]) -> float:
    """Return the radius in pixels of a click on a plane.

    The network sees every plane at about the size of its training, and the click with it.
    """
    radius = _DISC * max(shape)
    return radius if radius <= 2 else max(2.0, _CLOSER * radius)


def _marks(prompt: Prompt, shape: tuple[int, ...]) -> Marks:
    marks = Marks.none(shape)
    if prompt.kind not in AREAS:
        (marks.inside if prompt.inside else marks.outside)[...] = covered_by(prompt, shape)
    elif prompt.inside:  # the network knows no boxes beside an object
        marks.area[...] = covered_by(prompt, shape)
    return marks


def _along(points: np.ndarray, radius: float, shape: tuple[int, ...]) -> Mask:
    """Return the pixels within a distance of a line through points."""
    from scipy.ndimage import distance_transform_edt

    line = np.zeros(shape, bool)
    steps = np.abs(np.diff(points, axis=0)).max(1)
    along = np.concatenate(([0.0], np.cumsum(steps)))
    places = np.linspace(0, along[-1], 2 * int(np.ceil(along[-1])) + 1)
    path = np.stack([np.interp(places, along, axis) for axis in points.T], 1)
    pixels = np.rint(path).astype(int)
    pixels = pixels[((pixels >= 0) & (pixels < shape)).all(1)]
    line[tuple(pixels.T)] = True
    window = box_of(line, int(np.ceil(radius)))
    if window is not None:
        line[window] = distance_transform_edt(~line[window]) <= radius
    return line


def _in_box(corners: np.ndarray, shape: tuple[int, ...]) -> Mask:
    covered = np.zeros(shape, bool)
    low = np.clip(np.floor(corners.min(0) + 0.5), 0, shape).astype(int)
    high = np.clip(np.floor(corners.max(0) + 0.5) + 1, 0, shape).astype(int)
    covered[low[0] : high[0], low[1] : high[1]] = True
    return covered


def _in_polygon(points: np.ndarray, shape: tuple[int, ...]) -> Mask:
    from skimage.draw import polygon

    covered = np.zeros(shape, bool)
    rows, columns = polygon(points[:, 0], points[:, 1], shape)  # type: ignore[no-untyped-call]
    covered[rows, columns] = True
    return covered
