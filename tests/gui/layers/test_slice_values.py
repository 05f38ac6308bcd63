from __future__ import annotations

import pytest
from growth import LINEAR, growth
from hypothesis import given
from hypothesis import strategies as st

from napari_unet_seg._napari.layers.slice_values import SliceValues

CHANGES = st.lists(st.dictionaries(st.tuples(st.integers(0, 9)), st.integers(0, 99)))


@given(CHANGES)
def test_it_holds_what_a_dictionary_would(changes: list[dict[tuple[int, ...], int]]) -> None:
    mapping: SliceValues[int] = SliceValues()
    expected: dict[tuple[int, ...], int] = {}
    for change in changes:
        before, held = mapping, dict(mapping)
        mapping, expected = mapping | change, expected | change
        assert mapping == expected
        assert len(mapping) == len(expected)
        assert before == held, "what was there stays as it was"
    assert (99,) not in mapping


def test_values_are_copied() -> None:
    given = {(0,): 1}
    mapping = SliceValues(given)
    given[0,] = 2
    assert mapping == {(0,): 1}
    with pytest.raises(TypeError):
        mapping[0,] = 2  # type: ignore[index]


def test_a_long_stack_that_is_filled_slice_by_slice_takes_no_square_of_the_time() -> None:
    def fill(count: int) -> SliceValues[int]:
        mapping: SliceValues[int] = SliceValues()
        for index in range(count):
            mapping = mapping | {(index,): index}
            assert mapping[index // 2,] == index // 2
        return mapping

    assert growth(lambda count: lambda: fill(count), 1000) < LINEAR
