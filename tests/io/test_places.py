from __future__ import annotations

import pytest

from napari_unet_seg.io.common.places import index_at, place_at


@pytest.mark.parametrize(
    ("index", "leading", "place"),
    [(0, (), ()), (4, (7,), (4,)), (7, (3, 5), (1, 2)), (59, (3, 4, 5), (2, 3, 4))],
)
def test_a_number_stands_for_a_place(
    index: int, leading: tuple[int, ...], place: tuple[int, ...]
) -> None:
    assert place_at(index, leading) == place
    assert index_at(place, leading) == index


@pytest.mark.parametrize(("index", "leading"), [(1, ()), (7, (7,)), (-1, (7,)), (15, (3, 5))])
def test_no_slice_lies_beyond_the_last(index: int, leading: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"."):
        place_at(index, leading)
