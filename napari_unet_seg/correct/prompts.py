"""Prompts on a plane: what a network answers to them, turned into the new mask of a category.

Of the difference between the answer and the present mask, only the parts at the new prompt change
the mask, so that a person's work elsewhere stays: the progressive merge of Chen et al. 2022
("FocalClick: Towards Practical Interactive Image Segmentation", CVPR).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np

from napari_unet_seg.arrays import Array
from napari_unet_seg.correct.shapes import box_of

if TYPE_CHECKING:
    from napari_unet_seg.correct.shapes import Mask

Find = Callable[[Array, Array], Array]
"""The network on one plane: from maps of positive prompts, negative prompts and boxes (3, Y, X) and
the present mask (Y, X) to the mask of the marked object (Y, X), all bool."""

Box = tuple[int, int, int, int]
"""Top, left, bottom, right in pixels, half open."""

_NEAR = 32
"""Distance in pixels from a prompt within which the network is shown other parts and prompts."""
_REACH = 3
"""Distance in pixels from a prompt within which a part of the difference is connected with it."""

_FILLED = 0.9
"""Share of a box or lasso above which a mask fills it."""


class Marks(NamedTuple):
    """Pixels of a plane that prompts cover, each bool of shape (Y, X)."""

    inside: Mask
    """Clicks and strokes on the object."""
    outside: Mask
    """Clicks and strokes beside it."""
    area: Mask
    """Boxes and lassos around it."""

    @classmethod
    def none(cls, shape: tuple[int, ...]) -> Self:
        """Return the marks of no prompt."""
        return cls(*np.zeros((3, *shape), bool))

    def joined(self, other: Marks) -> Marks:
        """Return the marks of both; where they contradict each other, those of `self` count."""
        return Marks(
            self.inside | (other.inside & ~self.outside),
            self.outside | (other.outside & ~self.inside),
            self.area | other.area,
        )

    def reaching(self, window: tuple[slice, ...]) -> Marks:
        """Return the prompts that reach into a window."""
        return Marks(*(_parts_in(marks, window) for marks in self))


def follow_prompt(
    find: Find,
    present: Mask,
    taken: Mask,
    new: Marks,
    older: Marks | None = None,
    *,
    scribbled: bool = False,
) -> Mask:
    """Correct a mask by clicks and strokes.

    Parameters
    ----------
    find : callable
        The prompt network on the plane.
    present : array
        The present mask of the category.
    taken : array
        Pixels that the category cannot get, of other categories for example.
    new : Marks
        The new prompt, which the mask follows.
    older : Marks, optional
        Previous prompts on the plane, which the network sees if they are near.
    scribbled : bool
        Whether the new prompt is a scribble, which people draw along the middle of what is wrong:
        its changes reach no further from it than the present border lies.

    Returns
    -------
    array
        The new mask. Pixels under a prompt inside are in it unless they are taken, pixels under a
        prompt outside are not. A prompt inside adds what is connected with it, and removes what
        touches it; a prompt outside removes only. If a prompt inside lies in the middle of the
        mask, its object grows by what is connected with the object.
    """
    strokes = new.inside | new.outside
    window = box_of(strokes, _NEAR)
    if window is None:
        return present.copy()
    marks = new if older is None else new.joined(older.reaching(window))
    found = find(np.stack(marks), _parts_in(present, window))
    wanted = ((found & ~marks.outside) | marks.inside) & ~taken
    if scribbled:
        wanted = _within_reach(present, wanted, new)
    return merge(present, wanted, new.inside & ~taken, new.outside)


def _within_reach(present: Mask, wanted: Mask, scribbles: Marks) -> Mask:
    """Return a wanted mask without changes further from a scribble than it is from the border.

    A scribble within the object, or on a plane without one, tells no distance.
    """
    from scipy.ndimage import distance_transform_edt

    window = box_of((present ^ wanted) | scribbles.inside | scribbles.outside, _REACH)
    inside, near = present[window], wanted[window].copy()
    for marks, wrong in ((scribbles.inside, ~inside), (scribbles.outside, inside)):
        scribble = marks[window] & wrong
        if not scribble.any() or wrong.all():
            continue
        width = distance_transform_edt(wrong)
        distance, nearest = distance_transform_edt(~scribble, return_indices=True)
        far = wrong & (distance > width[tuple(nearest)])
        near[far] = inside[far]
    limited = wanted.copy()
    limited[window] = near
    return limited


def merge(present: Mask, wanted: Mask, inside: Mask, outside: Mask) -> Mask:
    """Return a mask with those changes towards a wanted mask that are connected with a prompt.

    Parameters
    ----------
    present, wanted : array
        The present mask, and the one that a network proposes.
    inside, outside : array
        The new prompt: pixels on the object, and beside it.
    """
    window = box_of((present ^ wanted) | inside | outside, _REACH)
    after = present.copy()
    if window is not None:
        parts = (each[window] for each in (present, wanted, inside, outside))
        after[window] = _merged(*parts)
    return after


def _merged(present: Mask, wanted: Mask, inside: Mask, outside: Mask) -> Mask:
    gained, lost = wanted & ~present, present & ~wanted
    after = present | _parts_at(gained, _grown(inside))
    after &= ~_parts_at(lost, _grown(inside | outside))
    if inside.any() and np.array_equal(after, present):
        after |= _parts_at(gained, _grown(_parts_at(present, inside)))
    return after


def outline_in_box(find: Find, predicted: Mask, box: Box) -> Mask:
    """Segment the object that a box encloses; see `outline_in`.

    Without an answer, the ellipse in the box is taken for the object. The box is clipped to the
    plane.
    """
    within = np.zeros(predicted.shape, bool)
    within[max(0, box[0]) : max(0, box[2]), max(0, box[1]) : max(0, box[3])] = True
    return outline_in(find, predicted, within, ellipse_in(within))


def outline_in(find: Find, predicted: Mask, area: Mask, otherwise: Mask) -> Mask:
    """Segment the object that an area encloses.

    Parameters
    ----------
    find : callable
        The prompt network on the plane.
    predicted : array
        What is known of the object, for example by an automatic model; may be empty. A mask that
        fills the area says nothing, such as the box of an import.
    area : array
        The pixels of a box or a lasso.
    otherwise : array
        The object if the network finds nothing there, since a person says that something is.

    Returns
    -------
    array
        The largest part in the area, without holes.
    """
    if not area.any():
        return area.copy()
    nothing, known = np.zeros_like(area), predicted & area
    if known.sum() > _FILLED * area.sum():
        known = nothing
    found = find(np.stack([nothing, nothing, area]), known) & area
    return _largest_filled(found) if found.any() else otherwise.copy()


def _largest_filled(mask: Mask) -> Mask:
    from scipy.ndimage import binary_fill_holes, label

    parts, _ = label(mask)
    return np.asarray(binary_fill_holes(parts == 1 + np.argmax(np.bincount(parts.ravel())[1:])))


def ellipse_in(box: Mask) -> Mask:
    """Return the ellipse in a box, which is given as its pixels."""
    rows, columns = (np.flatnonzero(box.any(axis)) for axis in (1, 0))
    if not rows.size:
        return box.copy()
    grid = np.ogrid[: box.shape[0], : box.shape[1]]
    radius: Array = sum(
        (2 * (axis - side.mean()) / side.size) ** 2
        for axis, side in zip(grid, (rows, columns), strict=True)
    )
    return np.asarray(box & (radius <= 1))


def _parts_in(mask: Mask, window: tuple[slice, ...]) -> Mask:
    """Return the connected parts of a mask that reach into a window."""
    from scipy.ndimage import label

    if not mask[window].any():
        return np.zeros_like(mask)
    parts, _ = label(mask)
    near = np.unique(parts[window])
    return np.isin(parts, near[near > 0])


def _parts_at(area: Mask, mark: Mask) -> Mask:
    """Return the connected parts of an area that a mark covers in part."""
    from scipy.ndimage import label

    if not (area & mark).any():
        return np.zeros_like(area)
    parts, _ = label(area)
    met = np.unique(parts[mark])
    return np.isin(parts, met[met > 0])


def _grown(mark: Mask) -> Mask:
    from scipy.ndimage import binary_dilation

    return np.asarray(binary_dilation(mark, iterations=_REACH))
