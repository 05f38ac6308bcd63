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

_TRAINED = 256
"""Longer side in pixels of the planes of the packaged network's training."""
_DISC = 5**0.5
"""Radius in pixels of a click on them, as `data.prompts.marks.click` draws it: 21 pixels."""
_CLOSER = 1.3
"""Radius on planes so many times larger, which the network sees closer; marks that are brought to
fewer pixels come out wider."""


class Prompt(NamedTuple):
    """A rough mark by a person on a plane."""

    kind: PromptKind
    inside: bool
    """Whether it says what the object is, or what it is not."""
    points: tuple[tuple[float, float], ...]
    """Row and column in pixels: of a click, along a line, or of two corners of a box."""


def marks_of(prompts: Iterable[Prompt], shape: tuple[int, ...], trained: int = _TRAINED) -> Marks:
    """Return the pixels that prompts cover; of contradicting prompts the last one counts.

    Parameters
    ----------
    prompts : iterable of Prompt
        In the order in which they were given.
    shape : tuple of int
        Of the plane.
    trained : int
        Longer side in pixels of the planes that the network was trained on.
    """
    marks = Marks.none(shape)
    for prompt in prompts:
        marks = _marks(prompt, shape, trained).joined(marks)
    return marks


def drawn_pixels(prompt: Prompt, shape: tuple[int, ...]) -> Mask:
    """Return the pixels that show a prompt: of a box or lasso the edge."""
    from scipy.ndimage import binary_erosion

    covered = covered_by(prompt, shape)
    if prompt.kind not in AREAS:
        return covered
    width = max(1, round(disc_radius(shape) / 2))
    return np.asarray(covered & ~binary_erosion(covered, iterations=width, border_value=1))


def covered_by(prompt: Prompt, shape: tuple[int, ...], trained: int = _TRAINED) -> Mask:
    """Return the pixels that a prompt covers."""
    if prompt.kind == "box":
        return _in_box(np.array(prompt.points), shape)
    if prompt.kind == "lasso":
        return _in_polygon(np.array(prompt.points), shape)
    radius = disc_radius(shape, trained) / (1 if prompt.kind == "click" else 2)
    return _along(np.array(prompt.points), radius, shape)


def likely_object(prompt: Prompt, shape: tuple[int, ...]) -> Mask:
    """Return the object that a box or lasso encloses if nothing else is known of it."""
    covered = covered_by(prompt, shape)
    return ellipse_in(covered) if prompt.kind == "box" else covered


def disc_radius(shape: tuple[int, ...], trained: int = _TRAINED) -> float:
    """Return the radius in pixels of a click on a plane.

    The network sees every plane at about the size of its training, and the click with it.
    """
    scale = max(shape) / trained
    return _DISC * scale if scale <= 1 else max(_DISC, _CLOSER * scale)


def _marks(prompt: Prompt, shape: tuple[int, ...], trained: int) -> Marks:
    marks = Marks.none(shape)
    if prompt.kind not in AREAS:
        covered = marks.inside if prompt.inside else marks.outside
        covered[...] = covered_by(prompt, shape, trained)
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
