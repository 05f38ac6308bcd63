"""Files of prompts: what they say, where it lies in a scan, and what is refused in one sentence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pytest

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.nifti import read_nifti
from napari_unet_seg.io.prompts.entries import ObjectPrompts, Prompts
from napari_unet_seg.io.prompts.placing import SliceMarks, placed
from napari_unet_seg.io.prompts.read import read_prompts

if TYPE_CHECKING:
    from pathlib import Path

STACK = Scan(np.zeros((10, 20, 30)), "ZYX")


def one(**given: Any) -> Prompts:
    return Prompts(objects=(ObjectPrompts(**given),))


def written(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_all_kinds_of_prompts_are_read(tmp_path) -> None:
    content = {
        "format": 1,
        "coordinates": "world",
        "objects": [
            {"category": "core", "points": [[1, 2.5, 3]], "outside_points": [[4, 5, 3]]},
            {"strokes": [[[1, 2, 3], [4, 5, 3]]], "boxes": [[[0, 0, 1], [5, 5, 2]]]},
        ],
    }
    read = read_prompts(written(tmp_path / "p.json", content))
    assert read.model_dump(mode="json", exclude_defaults=True) == {
        key: value for key, value in content.items() if key != "format"
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", r"p\.json cannot be read as JSON"),
        ({"objects": []}, r"p\.json: objects: .* at least 1 item.*; correct it there\."),
        ({}, r"p\.json: it has no objects; correct it there\."),
        ([], r"p\.json: its content: .*dictionary.*; correct it there\."),
        ({"objects": [{}, {"point": []}]}, r"p\.json: object 2 has the entry point, which a file"),
        ({"objects": [{"points": [[1, "a"]]}]}, r"p\.json: object 1, point 1, number 2: .*number"),
        ({"objects": [{"points": [[1, 2], 3]}]}, r"p\.json: object 1, point 2: "),
        ({"objects": [{"boxes": [[[1, 2]]]}]}, r"p\.json: object 1, box 1 has no corner 2; corr"),
        ('{"objects": [{"points": [[1, NaN]]}]}', r"object 1, point 1, number 2: .*finite"),
        ({"coordinates": "mm", "objects": [{}]}, r"p\.json: coordinates: .*'voxel' or 'world'"),
        ({"format": 2, "objects": [{}]}, r"p\.json: format: "),
    ],
)
def test_what_is_wrong_is_named(tmp_path, content: Any, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read_prompts(written(tmp_path / "p.json", content))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_holds_a_point_a_row(tmp_path, separator: str) -> None:
    rows = (
        ("x", "y", "z", "category", "object", "inside", "comment"),
        ("1", "2", "3", "core", "a", "yes", "of Tuesday"),
        ("4.5", "5", "3", "core", "a", "no", ""),
        ("7", "8", "9", "", "", "", ""),
    )
    text = "\ufeff" + "\r\n".join(separator.join(row) for row in rows) + "\r\n"
    assert read_prompts(written(tmp_path / "p.csv", text)) == Prompts(
        objects=(
            ObjectPrompts(
                category="core", points=((1.0, 2.0, 3.0),), outside_points=((4.5, 5.0, 3.0),)
            ),
            ObjectPrompts(points=((7.0, 8.0, 9.0),)),
        )
    )


def test_a_table_of_millimetres_has_commas_of_its_own(tmp_path) -> None:
    path = written(tmp_path / "p.csv", "x_mm;y_mm;z_mm\n-1,5;2;3\n")
    wanted = Prompts(coordinates="world", objects=(ObjectPrompts(points=((-1.5, 2.0, 3.0),)),))
    assert read_prompts(path) == wanted


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"p\.csv has no points with columns x and y"),
        ("a,b\n1,2\n", r"p\.csv has no points with columns x and y"),
        ("x,y\n", r"p\.csv has no points"),
        ("x,y\n1,2\n3\n", r"p\.csv: row 3 has nothing as y; give a number there\."),
        ("x,y\n1,inf\n", r"p\.csv: row 2 has inf as y; give a number there\."),
        ("x,y,inside\n1,2,maybe\n", r"p\.csv: row 2 has maybe as inside; give yes or no there\."),
        ("x,y,object,category\n1,2,a,b\n1,2,a,c\n", r"p\.csv: row 3 has the category c and its"),
    ],
)
def test_what_is_wrong_in_a_table_is_named(tmp_path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_prompts(written(tmp_path / "p.csv", text))


def test_voxels_are_columns_rows_slices_and_times() -> None:
    point = one(points=((21.0, 11.4, 7.0),))
    assert placed(point, STACK) == [{7: SliceMarks(points=[(11.4, 21.0)])}]
    film = Scan(np.zeros((2, 10, 20, 30)), "TZYX")
    assert placed(one(points=((21, 11, 7, 1),)), film) == [{17: SliceMarks(points=[(11, 21)])}]
    picture = Scan(np.zeros((20, 30)), "YX")
    assert placed(one(points=((21, 11),)), picture) == [{0: SliceMarks(points=[(11, 21)])}]
    pictures = Scan(np.zeros((4, 20, 30)), "NYX")
    assert placed(one(points=((21, 11, 2),)), pictures) == [{2: SliceMarks(points=[(11, 21)])}]


@pytest.mark.parametrize("coordinates", ["voxel", "world"])
def test_a_point_is_where_the_file_has_it(tmp_path, coordinates: str) -> None:
    """In the axes that the file stores, whichever way the array is turned to be shown."""
    affine = np.array([[0, 0, -2.0, 40], [1.5, 0, 0, -30], [0, -1.0, 0, 25], [0, 0, 0, 1]])
    values = np.zeros((12, 14, 16), np.uint8)
    values[3, 9, 11] = 1
    nib.save(nib.Nifti1Image(values, affine), tmp_path / "scan.nii")
    scan = read_nifti(tmp_path / "scan.nii")
    point = {"voxel": (3, 9, 11), "world": tuple((affine @ (3, 9, 11, 1))[:3])}[coordinates]
    prompts = Prompts(coordinates=coordinates, objects=(ObjectPrompts(points=(point,)),))
    ((index, marks),) = placed(prompts, scan)[0].items()
    (spot,) = marks.points
    assert scan.data[(index, *np.rint(spot).astype(int))] == 1


def test_a_box_goes_through_its_slices_and_a_stroke_stays_on_one() -> None:
    (marked,) = placed(
        one(boxes=(((5, 8, 6), (9, 2, 4)),), strokes=(((1, 1, 5), (9, 9, 5)),)), STACK
    )
    assert {index: len(marks.boxes) for index, marks in marked.items()} == {4: 1, 5: 1, 6: 1}
    assert marked[5].strokes == [[(1, 1), (9, 9)]] and not marked[4].strokes


@pytest.mark.parametrize(
    ("prompts", "message"),
    [
        (one(points=((1, 2),)), "object 1, point 1 has 2 numbers and the scan needs x, y, z; corr"),
        (one(points=((1, 2, 3), (31, 2, 3))), r"object 1, point 2 lies outside .*\(30 × 20 × 10 v"),
        (one(), "object 1 needs a point, stroke or box inside; add it there"),
        (one(points=((1, 1, 1),), outside_points=((1, 1, 2),)), "inside on each slice that it is"),
        (one(strokes=(((1, 1, 1), (1, 1, 3)),)), "stroke 1 runs over several slices; give a"),
        (one(strokes=((),)), "stroke 1 has no points"),
        (one(boxes=(((1, 1, 1), (1, 1, 10)),)), "object 1, box 1, corner 2 lies outside"),
        (
            Prompts(coordinates="world", objects=(ObjectPrompts(points=((1, 1, 1),)),)),
            "the scan has no place in the patient, which world coordinates need; give voxels",
        ),
    ],
)
def test_what_does_not_fit_the_scan_is_named(prompts: Prompts, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        placed(prompts, STACK, "p.json")
    assert str(caught.value).startswith("p.json: ")


def test_a_box_keeps_to_one_time() -> None:
    film = Scan(np.zeros((2, 10, 20, 30)), "TZYX")
    with pytest.raises(DataError, match="box 1 runs over several volumes"):
        placed(one(boxes=(((1, 1, 1, 0), (5, 5, 1, 1)),)), film)
