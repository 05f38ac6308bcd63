"""Masks that are carried through a volume by a network that is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from napari_unet_seg.prompting.carrying import BETWEEN, FADING, LEAST, beyond, carry

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from napari_unet_seg.prompting.carrying import Grey, Probable

COUNT, FIRST, LAST = 20, 4, 14
SHAPE = (40, 50)
ROWS, COLUMNS = np.indices(SHAPE)


def lesion(index: int) -> np.ndarray:
    """A disc that moves to the right, from slice 4 to slice 14."""
    radius = 8 if FIRST <= index <= LAST else 0
    inside: np.ndarray = np.hypot(ROWS - 20, COLUMNS - 12 - index) < radius
    return inside


def perfect(index: int, beside: np.ndarray) -> np.ndarray:
    """A network that finds the lesion if the mask beside it touches it."""
    found = lesion(index) if (beside & lesion(index)).any() else np.zeros(SHAPE, bool)
    return np.where(found, 0.9, 0.1)


def plain(index: int) -> np.ndarray:
    """A slice that shows the lesion bright where there is one."""
    return np.where(lesion(index), 200.0, 100.0)


def flat(index: int) -> np.ndarray:
    """A slice whose grey values tell nothing."""
    return np.zeros(SHAPE)


def carried(
    probable: Probable, given: list[int], within: Container[int] = range(COUNT), grey: Grey = plain
) -> dict[int, int]:
    """Sizes of the masks by slice."""
    found = carry(probable, grey, {i: lesion(i) for i in given}, within)
    return {each.index: int(each.mask.sum()) for each in found}


@pytest.mark.parametrize("given", [[9], [4], [14], [6, 12], [5, 9, 13]])
def test_a_lesion_is_followed_to_its_ends(given: list[int]) -> None:
    sizes = carried(perfect, given)
    wanted = {i: int(lesion(i).sum()) for i in range(FIRST, LAST + 1) if i not in given}
    assert sizes == wanted


def test_slices_outside_are_walls() -> None:
    assert sorted(carried(perfect, [9], range(7, 12))) == [7, 8, 10, 11]
    assert sorted(carried(perfect, [6, 12], range(5, 14))) == [5, 7, 8, 9, 10, 11, 13]
    assert sorted(carried(perfect, [9], {7, 8, 10, 12})) == [7, 8, 10]


def test_a_wall_between_two_given_slices_parts_them() -> None:
    """Nothing is known of the other side beyond a wall, least of all that the lesion has ended."""
    sizes = carried(perfect, [5, 12], {*range(COUNT)} - {8})
    wanted = {i: int(lesion(i).sum()) for i in (4, 6, 7, 9, 10, 11, 13, 14)}
    assert sizes == wanted


def elsewhere(index: int) -> np.ndarray:
    """A disc that touches the lesion nowhere."""
    there: np.ndarray = np.hypot(ROWS - 6, COLUMNS - 45) < 4
    return there


@pytest.mark.parametrize("wall", [4, 14])
def test_what_a_wall_holds_of_the_lesion_mends_the_slices_before_it(wall: int) -> None:
    """The errors of the network add up on its way to the wall, and not between the two masks."""

    def drifting(index: int, lasso: np.ndarray) -> np.ndarray:
        if (lasso & elsewhere(index)).any():
            return np.where(elsewhere(index), 0.9, 0.1)  # were it asked of the other object
        off = 1 + round(np.flatnonzero(lasso.any(1)).mean()) - 20
        return np.where(np.roll(lesion(index), off, 0), 0.9, 0.1)

    low, high = sorted((9, wall))
    within = range(low + 1, high)
    masks = {wall: lesion(wall) | elsewhere(wall)}
    asked = list(carry(drifting, flat, {9: lesion(9)}, within, masks))
    found = {each.index: each.mask for each in asked}
    assert sorted(found) == list(within) and len(asked) == 2 * len(within)
    for index, mask in found.items():
        np.testing.assert_array_equal(mask, np.roll(lesion(index), 1, 0))


def test_a_wall_that_the_lesion_does_not_reach_is_left_alone() -> None:
    masks = {18: elsewhere(18), 2: np.zeros(SHAPE, bool)}
    events = carry(perfect, plain, {9: lesion(9)}, range(3, 18), masks)
    assert sorted(each.index for each in events) == [4, 5, 6, 7, 8, 10, 11, 12, 13, 14]
    masks = {13: elsewhere(13)}
    events = carry(perfect, plain, {9: lesion(9)}, range(10, 13), masks)
    assert [each.index for each in events] == [10, 11, 12], "nothing there is of the lesion"


@pytest.mark.parametrize("wall", [4, 14])
def test_a_wall_that_holds_the_lesion_mends_slices_that_were_not_reached(wall: int) -> None:
    """On its way to the wall the network loses the lesion, in a lasso that is no larger than it."""

    def losing(index: int, lasso: np.ndarray) -> np.ndarray:
        is_lost = abs(index - 9) > 2 and lasso.sum() <= lesion(9).sum()
        return np.where(perfect(index, lasso) > 0.5, 0.1 if is_lost else 0.9, 0.1)

    low, high = sorted((9, wall))
    within = range(low + 1, high)
    found = carry(losing, flat, {9: lesion(9)}, within, {wall: lesion(wall)})
    masks = {each.index: each.mask for each in found}
    assert sorted(masks) == list(within)
    for index, mask in masks.items():
        np.testing.assert_array_equal(mask, lesion(index))


def test_a_wall_that_holds_something_else_is_not_carried_back() -> None:
    """It leads to where the lesion was lost, but to another place there."""

    def both(index: int, beside: np.ndarray) -> np.ndarray:
        seen = beside & (elsewhere(index) | lesion(index))
        there = np.where(seen.any() & (index < 12 or seen[:12].any()), 0.9, 0.1)
        mask = elsewhere(index) if (beside & elsewhere(index)).any() else lesion(index)
        return np.where(mask, there, 0.1)

    found = carry(both, flat, {9: lesion(9)}, range(10, 16), {16: elsewhere(16)})
    assert [each.index for each in found] == [10, 11]


@pytest.mark.parametrize(
    ("carried", "holding", "end", "over"),
    [
        (range(5, 15), range(4, 15), 11, [12, 13, 14]),
        (range(5, 15), range(5, 16), 8, [7, 6, 5]),
        (range(5, 15), range(4, 16), 9, []),
        (range(5, 15), range(5, 15), 9, [8, 7, 6, 5, 10, 11, 12, 13, 14]),
        ([5, 6, 8], [4, 5, 6, 8], 7, [8]),
    ],
    ids=["above", "below", "between slices that were given", "all that was carried", "near"],
)
def test_what_was_carried_beyond_the_end_is_found(
    carried: Iterable[int], holding: Iterable[int], end: int, over: list[int]
) -> None:
    assert beyond({*carried} - {end}, {*holding} - {end}, end) == over


@pytest.mark.parametrize("given", [[9], [6, 12]])
def test_what_lies_elsewhere_on_a_slice_is_another_object(given: list[int]) -> None:
    def both(index: int, beside: np.ndarray) -> np.ndarray:
        return np.where(elsewhere(index), 0.9, perfect(index, beside))

    found = list(carry(both, plain, {i: lesion(i) for i in given}, range(COUNT)))
    for each in found:
        np.testing.assert_array_equal(each.mask, lesion(each.index))


def test_nothing_is_carried_from_next_to_nothing() -> None:
    speck = np.zeros(SHAPE, bool)
    speck.ravel()[: LEAST - 1] = True
    assert not list(carry(perfect, plain, {9: speck}, range(COUNT)))


def test_it_ends_where_another_object_is_found() -> None:
    def jumping(index: int, beside: np.ndarray) -> np.ndarray:
        return perfect(index, beside) if index < 11 else np.where(COLUMNS < 4, 0.9, 0.1)

    assert sorted(carried(jumping, [9], grey=flat)) == [4, 5, 6, 7, 8, 10]


def on_and_on(index: int, beside: np.ndarray) -> np.ndarray:
    """A network that finds something wherever it is asked."""
    return np.where(beside, 0.9, 0.1)


@pytest.mark.parametrize("bright", [200.0, 20.0])
def test_it_ends_where_the_grey_is_that_of_the_surroundings(bright: float) -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 5, SHAPE)
    fading = {8: 1.0, 9: 1.0, 10: 0.8, 11: 0.7, 12: 0.3}

    def seen(index: int) -> np.ndarray:
        return 100 + noise + (bright - 100) * fading.get(index, 0.0) * lesion(9)

    assert sorted(carried(on_and_on, [9], grey=seen)) == [8, 10, 11]


def test_grey_values_that_tell_nothing_do_not_end_it() -> None:
    assert sorted(carried(on_and_on, [9], range(6, 13), flat)) == [6, 7, 8, 10, 11, 12]


def test_it_ends_where_something_much_larger_begins() -> None:
    def spilling(index: int, beside: np.ndarray) -> np.ndarray:
        return perfect(index, beside) if index < 12 else np.full(SHAPE, 0.9)

    assert sorted(carried(spilling, [9], grey=flat)) == [4, 5, 6, 7, 8, 10, 11]


def test_between_two_given_slices_their_shapes_are_the_prompts() -> None:
    lassos: dict[int, np.ndarray] = {}

    def asked(index: int, lasso: np.ndarray) -> np.ndarray:
        assert index not in lassos
        lassos[index] = lasso
        return perfect(index, lasso)

    found = {e.index: e for e in carry(asked, flat, {5: lesion(5), 13: lesion(13)}, range(5, 14))}
    assert list(lassos) == list(found) == [*range(6, 13)]
    for index, lasso in lassos.items():
        grown = binary_dilation(lesion(index), iterations=BETWEEN)
        shared = 2 * (lasso & grown).sum() / (lasso.sum() + grown.sum())
        assert shared > 0.9, "as the lesion, which moves on by a pixel a slice"
    certain = [found[index].certainty for index in range(6, 13)]
    assert certain == pytest.approx([0.8 * FADING**n for n in (1, 2, 3, 4, 3, 2, 1)])


def test_given_masks_that_lie_apart_are_carried_to_the_middle() -> None:
    def both(index: int, lasso: np.ndarray) -> np.ndarray:
        there = (lasso & elsewhere(index)).any()
        return np.where(elsewhere(index) if there else lesion(index), 0.9, 0.1)

    found = list(carry(both, flat, {5: elsewhere(5), 10: lesion(10)}, range(5, 11)))
    assert [each.index for each in found] == [6, 7, 9, 8]
    for each in found:
        there = elsewhere(each.index) if each.index < 8 else lesion(each.index)
        np.testing.assert_array_equal(each.mask, there)


def test_a_lasso_does_not_grow_from_slice_to_slice() -> None:
    found = carry(on_and_on, flat, {9: lesion(9)}, range(COUNT))
    assert {int(each.mask.sum()) for each in found} == {int(lesion(9).sum())}


def test_certainty_fades_with_the_distance_from_what_was_given() -> None:
    found = carry(perfect, plain, {9: lesion(9)}, range(COUNT))
    certain = {each.index: each.certainty for each in found}
    assert certain[9 + 1] > certain[9 + 2] > certain[9 + 5]
    assert certain == pytest.approx({i: 0.8 * FADING ** abs(i - 9) for i in certain})
