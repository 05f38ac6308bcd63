from __future__ import annotations

import pytest

from napari_unet_seg._napari.review.rows import row_names


@pytest.mark.parametrize(
    ("slices", "names"),
    [
        (["a.nii.gz#0", "a.nii.gz#1"], ["slice 0", "slice 1"]),
        (["a.nii.gz#0", "b.nii.gz#0"], ["a.nii.gz#0", "b.nii.gz#0"]),
        (["1.png", "2.png"], ["1.png", "2.png"]),
        ([], []),
    ],
)
def test_slices_of_one_scan_are_named_by_their_numbers(slices: list[str], names: list[str]) -> None:
    assert row_names(slices) == names
