from __future__ import annotations

from pathlib import Path

import pytest

from napari_unet_seg.io.distinct_names import distinct_names


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["/d/a.tif", "/d/b.nii.gz"], ["a", "b"]),
        (["/d/p1/2024/t1.nii", "/d/p2/2024/t1.nii"], ["p1_t1", "p2_t1"]),
        (["/d/p1/t1.nii", "/d/p2/t1.nii", "/d/p3/t2.nii"], ["p1_t1", "p2_t1", "t2"]),
        (["/d/p1/s1/t.nii", "/d/p1/s2/t.nii", "/d/p2/s1/t.nii"], ["p1_s1_t", "p1_s2_t", "p2_s1_t"]),
        (["/d/p1/x/a/t.nii", "/d/p2/x/b/t.nii"], ["p1_a_t", "p2_b_t"]),
        (["/d/t1.nii", "/d/p1/t1.nii", "/d/p1/deep/t1.nii"], ["t1", "p1_t1", "p1_deep_t1"]),
        (["/d/a.tif", "/d/a.nii"], ["a", "a_2"]),
        (["/d/p/a.tif", "/d/p_a.tif", "/d/a.tif"], ["p_a", "p_a_2", "a"]),
        (["/d/1/A.tif", "/d/2/a.tif"], ["1_A", "2_a"]),
        ([], []),
    ],
)  # fmt: skip
def test_names_come_from_what_differs_in_the_paths(paths: list[str], names: list[str]) -> None:
    assert distinct_names([Path(path) for path in paths]) == names
