"""Two masks against each other: overlap, distance and size, worked out by hand."""

from __future__ import annotations

import csv
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from napari_unet_seg.config import IGNORE_INDEX, Category
from napari_unet_seg.errors import DataError
from napari_unet_seg.evaluation.compare import (
    MaskComparison,
    check_grids,
    compare_masks,
    extract_plane,
    write_csv,
)
from napari_unet_seg.evaluation.mask_pairs import NamedMask
from napari_unet_seg.events import ItemDone
from napari_unet_seg.io.common.scan import Scan

if TYPE_CHECKING:
    from pathlib import Path

TUMOUR, OEDEMA = Category(id=7, name="tumour"), Category(id=9, name="oedema")
BOTH = (TUMOUR, OEDEMA)


def side(
    labels: Any, axes: str, spacing: Any = (), unit: str = "pixel", categories: Any = BOTH
) -> NamedMask:
    return NamedMask(
        "A", Scan(np.asarray(labels, np.uint8), axes, tuple(spacing), unit), categories
    )


def volume(*boxes: tuple[int, tuple[slice, ...]]) -> np.ndarray:
    labels = np.zeros((4, 12, 12), np.uint8)
    for value, box in boxes:
        labels[box] = value
    return labels


def compared(a: NamedMask, b: NamedMask) -> MaskComparison:
    *steps, result = compare_masks(a, b)
    assert all(isinstance(step, ItemDone) for step in steps)
    assert steps[-1].index == steps[-1].count
    assert isinstance(result, MaskComparison)
    return result


def figures(result: MaskComparison) -> dict[str, tuple[float, ...]]:
    return {
        row.category or "all": (
            row.counts.dice,
            row.counts.iou,
            row.hd95,
            row.size_a,
            row.size_b,
        )
        for row in result.rows
    }


def test_a_volume_by_category() -> None:
    """A tumour moved by one slice of 5 mm, an oedema that only B has."""
    square = (slice(2, 6), slice(2, 6))
    a = volume((1, (slice(0, 2), *square)))
    b = volume((1, (slice(1, 3), *square)), (2, (slice(1, 2), slice(8, 10), slice(8, 10))))
    place = ("ZYX", (5.0, 0.5, 0.5), "mm")
    result = compared(side(a, *place), side(b, *place))
    assert (result.unit, result.size_unit) == ("mm", "ml")
    voxel = 5 * 0.5 * 0.5 / 1000
    found = figures(result)
    assert found["tumour"] == pytest.approx((0.5, 1 / 3, 5.0, 32 * voxel, 32 * voxel))
    assert found["oedema"] == pytest.approx((0.0, 0.0, math.nan, 0, 4 * voxel), nan_ok=True)
    assert found["all"][:2] == pytest.approx((32 / 68, 16 / 52))
    assert found["all"][3:] == pytest.approx((32 * voxel, 36 * voxel))


@pytest.mark.parametrize(
    ("axes", "shape", "spacing", "unit", "expected"),
    [
        ("ZYX", (1, 4, 5), (2, 3, 4), "mm", (20 * 24 / 1000, "ml")),
        ("ZYX", (1, 4, 5), (2000, 3000, 4000), "µm", (20 * 24 / 1000, "ml")),
        ("ZYX", (1, 4, 5), (2, 3, 4), "pixel", (20, "pixels")),
        ("YX", (4, 5), (3, 4), "mm", (20 * 12, "mm²")),
        ("NYX", (3, 4, 5), (1, 3, 4), "mm", (20 * 12, "mm²")),
        ("TZYX", (2, 1, 4, 5), (9, 2, 3, 4), "mm", (20 * 24 / 1000, "ml")),
        ("YX", (4, 5), (1, 1), "pixel", (20, "pixels")),
    ],
)
def test_sizes_are_physical_where_the_grid_is(
    axes: str, shape: Any, spacing: Any, unit: str, expected: Any
) -> None:
    one = side(np.ones(shape), axes, spacing, unit)
    result = compared(one, one)
    assert (result.rows[0].size_a, result.size_unit) == (pytest.approx(expected[0]), expected[1])


def test_nothing_in_either_has_no_figures() -> None:
    empty = side(np.zeros((3, 3)), "YX")
    for dice, iou, distance, *sizes in figures(compared(empty, empty)).values():
        assert math.isnan(dice)
        assert math.isnan(iou)
        assert math.isnan(distance)
        assert sizes == [0, 0]


@pytest.mark.parametrize("unknown", ["a", "b"])
def test_unreviewed_pixels_of_either_mask_are_left_out(unknown: str) -> None:
    a, b = np.zeros((2, 4), np.uint8), np.zeros((2, 4), np.uint8)
    a[0], b[0, :2] = 1, 1
    (a if unknown == "a" else b)[:, 2:] = IGNORE_INDEX
    comparison = compared(side(a, "YX"), side(b, "YX"))
    found = figures(comparison)
    assert comparison.unreviewed == 4
    assert found["tumour"] == (1, 1, 0, 2, 2)
    assert found["all"] == (1, 1, 0, 2, 2)


def test_independent_slices_have_no_distance_between_them() -> None:
    a, b = np.zeros((2, 6, 6)), np.zeros((2, 6, 6))
    a[:, 2, 2], b[0, 2, 2], b[1, 2, 4] = 1, 1, 1
    found = figures(compared(side(a, "NYX"), side(b, "NYX")))
    assert found["tumour"] == pytest.approx((0.5, 1 / 3, 1.0, 1, 1))


def test_a_series_has_the_means_of_its_volumes() -> None:
    """Two times: a tumour of 4 voxels, moved by a slice in the second, where B lacks the rest."""
    a, b = np.zeros((2, 3, 4, 4)), np.zeros((2, 3, 4, 4))
    a[:, 0, :2, :2], b[0, 0, :2, :2], b[1, 1, 0, 0] = 3, 3, 3
    place = {"axes": "TZYX", "spacing": (60, 5, 1, 1), "unit": "mm", "categories": ()}
    result = compared(side(a, **place), side(b, **place))
    assert result.mean_of == 2
    distance = (0 + math.sqrt(5**2 + 2)) / 2
    found = figures(result)["3"]
    assert found[:2] == pytest.approx((8 / 13, 4 / 9))
    assert found[2] == pytest.approx(distance, rel=0.05)
    assert found[3:] == pytest.approx((4 * 5 / 1000, 2.5 * 5 / 1000))


@pytest.mark.parametrize("knows", ["a", "b"])
def test_slices_are_times_where_either_side_knows(knows: str) -> None:
    place = {"spacing": (1, 1, 1), "unit": "mm"}
    axes = {"a": "ZYX", "b": "ZYX", knows: "TYX"}
    result = compared(*(side(np.ones((3, 2, 2)), axes[name], **place) for name in "ab"))
    assert (result.size_unit, result.mean_of, result.rows[0].size_a) == ("mm²", 3, 4)


def test_a_category_of_one_volume_counts_nothing_in_the_others() -> None:
    a = np.zeros((4, 2, 3, 3))
    a[1, 0, 0] = 8
    one = side(a, "TZYX", (1, 1, 1, 1), "mm", categories=())
    assert figures(compared(one, one))["8"][3:] == pytest.approx((3 / 4 / 1000,) * 2)


@pytest.mark.parametrize("scale", [1, 0.5, 7])
def test_distances_without_a_unit_are_in_pixels_of_the_finest_axis(scale: float) -> None:
    a, b = np.zeros((3, 6, 6)), np.zeros((3, 6, 6))
    a[0, 2, 2], b[1, 2, 2] = 1, 1
    spacing = (6 * scale, scale, scale)
    result = compared(side(a, "ZYX", spacing), side(b, "ZYX", spacing))
    assert (result.rows[0].hd95, result.unit) == (pytest.approx(6), "pixel")


def test_categories_are_paired_by_name() -> None:
    a = side([[1, 1, 2]], "YX", categories=BOTH)
    b = side([[2, 2, 1]], "YX", categories=BOTH[::-1])
    assert {name: values[0] for name, values in figures(compared(a, b)).items()} == {
        "oedema": 1,
        "tumour": 1,
        "all": 1,
    }


def test_label_values_without_names_are_categories() -> None:
    one = side([[0, 3, 5]], "YX", categories=())
    assert [row.category for row in compared(one, one).rows] == ["3", "5", ""]


def test_grids_that_differ_are_both_named() -> None:
    a = side(np.zeros((3, 4)), "YX", (1, 2), "mm")
    b = side(np.zeros((3, 5)), "YX", (1, 1), "mm")._replace(name="B")
    sentence = r"mask A has the grid 3 × 4 \(YX, 1 × 2 mm\) and the mask B 3 × 5 \(YX, 1 × 1 mm\)"
    with pytest.raises(DataError, match=sentence):
        check_grids(a, b)


def test_a_slice_is_an_area() -> None:
    labels = volume((1, (slice(1, 2), slice(0, 2), slice(0, 3))))
    plane = extract_plane(side(labels, "ZYX", (5, 2, 3), "mm"), (1,))
    labels[:] = 0
    result = compared(plane, plane)
    assert (result.rows[0].size_a, result.size_unit) == (36, "mm²")


def test_another_plane_of_a_volume_has_the_voxel_size_along_its_axes() -> None:
    labels = volume((1, (slice(1, 3), slice(0, 2), slice(0, 3))))
    plane = extract_plane(side(labels, "ZYX", (5, 2, 3), "mm"), (slice(None), 1))
    result = compared(plane, plane)
    assert (result.rows[0].size_a, result.size_unit) == (2 * 5 * 3 * 3, "mm²")


def test_the_table_as_csv(tmp_path: Path) -> None:
    a = side([[1, 1, 0, 0]], "YX", (1, 2), "mm")
    b = side([[1, 0, 0, 0]], "YX", (1, 2), "mm")._replace(name='mask, "second"')
    write_csv(tmp_path / "t.csv", compared(a, b), "slice 3")
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["category"] for row in rows] == ["tumour", "oedema", "all"]
    assert rows[0] == {
        "a": "A",
        "b": 'mask, "second"',
        "part": "slice 3",
        "category": "tumour",
        "dice": "0.666667",
        "iou": "0.5",
        "hd95": "1.8",
        "hd95_unit": "mm",
        "size_a": "4",
        "size_b": "2",
        "size_unit": "mm²",
        "mean_of": "1",
    }
    assert (rows[1]["dice"], rows[1]["hd95"], rows[1]["size_a"]) == ("", "", "0")


def test_a_table_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    one = compared(side([[1]], "YX"), side([[1]], "YX"))
    with pytest.raises(DataError, match="its folder does not exist"):
        write_csv(tmp_path / "missing" / "t.csv", one, "whole scan")
