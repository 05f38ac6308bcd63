"""Lists of results in COCO's format, on the data set whose images were predicted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from growth import LINEAR, growth
from PIL import Image
from pycocotools import mask as coco_mask

from napari_unet_seg.cli import main
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.coco.raster import rasterise
from napari_unet_seg.io.coco.read import CocoDataset, read_coco
from napari_unet_seg.io.coco.results import read_results
from napari_unet_seg.io.read import read_labels

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HEIGHT, WIDTH = 12, 16
TRUTH = [[1, 1, 9, 1, 9, 9, 1, 9]]


def result(image: Any, category: Any = 4, score: Any = 0.9, **more: Any) -> dict[str, Any]:
    return {"image_id": image, "category_id": category, "score": score, **more}


def square(left: int, size: int = 4) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8, order="F")
    mask[2 : 2 + size, left : left + size] = 1
    return mask


def compressed(mask: np.ndarray) -> dict[str, Any]:
    rle = coco_mask.encode(mask)
    return {"size": rle["size"], "counts": rle["counts"].decode()}


def uncompressed(mask: np.ndarray) -> dict[str, Any]:
    flat = mask.ravel(order="F")
    starts = np.flatnonzero(np.diff(flat, prepend=0, append=-1))
    counts = np.diff(starts, prepend=0).tolist()
    return {"size": [HEIGHT, WIDTH], "counts": counts}


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    """Two images and two categories, with an outline on each image."""
    for name in ("a", "b"):
        Image.fromarray(np.full((HEIGHT, WIDTH), 90, np.uint8)).save(tmp_path / f"{name}.png")
    document = {
        "images": [
            {"id": i, "file_name": f"{name}.png", "width": WIDTH, "height": HEIGHT}
            for i, name in ((7, "a"), (8, "b"))
        ],
        "categories": [{"id": 4, "name": "lesion"}, {"id": 9, "name": "oedema"}],
        "annotations": [
            {"id": i, "image_id": i, "category_id": 4, "segmentation": TRUTH} for i in (7, 8)
        ],
    }
    path = tmp_path / "set.json"
    path.write_text(json.dumps(document))
    return path


@pytest.fixture
def dataset(coco: Path) -> CocoDataset:
    return read_coco(coco)


def write(tmp_path: Path, *entries: Any) -> Path:
    path = tmp_path / "results.json"
    path.write_text(json.dumps(entries))
    return path


def test_every_form_of_segmentation_is_drawn(tmp_path: Path, dataset: CocoDataset) -> None:
    path = write(
        tmp_path,
        result(7, segmentation=compressed(square(0))),
        result(7, 9, segmentation=uncompressed(square(5))),
        result(7, segmentation=[[10, 2, 14, 2, 14, 6, 10, 6]]),
    )
    drawn = rasterise(read_results(path, dataset).above(0.5, boxes=False), 7)
    np.testing.assert_array_equal(drawn, square(0) + 2 * square(5) + square(10))
    assert not rasterise(read_results(path, dataset).above(0.5, boxes=False), 8).any()


def test_the_threshold_counts_and_the_best_is_on_top(tmp_path: Path, dataset: CocoDataset) -> None:
    path = write(
        tmp_path,
        result(7, 9, 0.5, segmentation=compressed(square(2))),
        result(7, 4, 0.25, segmentation=compressed(square(0))),
        result(7, 4, 0.75, bbox=[4, 2, 4, 4]),
    )
    results = read_results(path, dataset)
    counts = [results.count(t, boxes=True) for t in (0, 0.25, 0.26, 0.5, 0.75, 0.76)]
    assert counts == [3, 3, 2, 2, 1, 0]
    assert results.count(0.5, boxes=False) == 1
    labels = rasterise(results.above(0.25, boxes=False), 7)
    np.testing.assert_array_equal(labels, np.where(square(2), 2, square(0)))
    labels = rasterise(results.above(0.26, boxes=True), 7, boxes=True)
    np.testing.assert_array_equal(labels, np.where(square(4), 1, 2 * square(2)))


def test_what_the_data_set_does_not_have_is_said_once(tmp_path: Path, dataset: CocoDataset) -> None:
    fitting = result(8, segmentation=compressed(square(0)))
    strange = [result(i % 9 + 100) for i in range(40)] + [result("7"), result(7, 5), result(7, 5)]
    broken = [None, result(7, score="high"), result(7, score=float("nan"))]
    found = read_results(write(tmp_path, fitting, *strange, *broken), dataset)
    assert found.problems == (
        (
            "41 results",
            "of images that the data set does not have: 100, 101, 102, 103, 104 and 5 more",
        ),
        ("2 results", "of categories that it does not have: 5"),
        ("1 result", "no results"),
        ("2 results", "without a usable score"),
    )
    with pytest.raises(DataError, match=r"fits .*set\.json \(40 results: of images"):
        read_results(write(tmp_path, *strange[:40]), dataset)


def test_the_time_grows_with_the_results(tmp_path: Path, dataset: CocoDataset) -> None:
    outline = compressed(square(1))

    def prepare(count: int) -> Callable[[], Any]:
        entries = [result(7 + i % 2, 4, i / count, segmentation=outline) for i in range(count)]
        path = tmp_path / f"{count}.json"
        path.write_text(json.dumps(entries))
        return lambda: read_results(path, dataset).above(0.5, boxes=False)

    assert growth(prepare, 1000) < LINEAR


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"annotations": [{"segments_info": []}], "images": []}, "is panoptic COCO"),
        ({"annotations": [{"segments_info": []}]}, "convert it to instances"),
        ([result(7)], "is a list of a model's results and has no images"),
        ({"a": 1}, "is not COCO"),
    ],
)
def test_other_json_is_refused_with_what_to_do(tmp_path: Path, document: Any, message: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(json.dumps(document))
    with pytest.raises(DataError, match=message):
        read_coco(path)


def test_the_program_writes_a_data_set_of_results(
    coco: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entries = [
        result(7, 9, 0.6, segmentation=compressed(square(3))),
        result(8, 4, 0.3, segmentation=compressed(square(3))),
        result(8, 4, 0.9, bbox=[0, 0, 3, 3]),
        result(17, 4, 0.9, bbox=[0, 0, 3, 3]),
    ]
    given = ["import", coco, "--results", write(tmp_path, *entries), "--out", tmp_path / "set"]
    assert main([*map(str, given)]) == 2
    told = capsys.readouterr().err
    assert "results.json: 1 result: of images that the data set does not have: 17" in told
    assert "1 result: it has only a box; give --boxes" in told
    masks = {p.stem: read_labels(p).data for p in (tmp_path / "set").glob("*/masks/*.tif")}
    np.testing.assert_array_equal(masks["a"], 2 * square(3))
    assert not masks["b"].any()


def test_the_program_evaluates_results(
    coco: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    half = result(7, 4, 0.6, segmentation=[[1, 1, 5, 1, 5, 9, 1, 9]])
    path = write(tmp_path, half, result(7, 4, 0.2, segmentation=TRUTH))
    given = ["evaluate", "--pred", str(path), "--truth", str(coco), "--json", "-"]
    dices = []
    for threshold in ("0.5", "0.1"):
        assert main([*given, "--threshold", threshold]) == 0
        samples = json.loads(capsys.readouterr().out)["samples"]
        dices.append([s["dice"] for s in samples if s["category"] == "lesion"])
    assert dices == [[pytest.approx(2 / 3), 0], [1, 0]]
    write(tmp_path, result(7, 4, 0.9, bbox=[0, 0, 3, 3]))
    assert main(given) == 2
    assert "boxes and no outlines" in capsys.readouterr().err
