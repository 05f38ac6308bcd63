"""COCO files that are far larger than their images: memory, limits, and no step too many."""

from __future__ import annotations

import json
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask
from written_back import write_back

from napari_unet_seg.config import Category
from napari_unet_seg.data.dataset_plan import join_categories
from napari_unet_seg.errors import ConfigError
from napari_unet_seg.io.coco import raster
from napari_unet_seg.io.coco.geometry import shapes
from napari_unet_seg.io.coco.geometry.shapes import read_shape
from napari_unet_seg.io.coco.raster import covered_by_each, rasterise
from napari_unet_seg.io.coco.read import read_coco
from napari_unet_seg.io.coco.report import inspect, overlaps

HEIGHT, WIDTH = 23, 17
SQUARE = [0, 0, 64, 0, 64, 64, 0, 64]

coordinates = st.one_of(
    st.floats(-16, 33, allow_nan=False), st.integers(-16, 33), st.sampled_from([2.5, 3.1, -0.1])
)
polygons = st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=40).map(
    lambda points: [float(v) for point in points for v in point]
)


def drawn_whole(polygon):
    (rle,) = coco_mask.frPyObjects([polygon], HEIGHT, WIDTH)
    return coco_mask.decode(rle).astype(bool)


def drawn_by_us(*parts):
    shape = read_shape({"segmentation": list(parts)}, HEIGHT, WIDTH, boxes=False)
    (pixels,) = covered_by_each([shape], HEIGHT, WIDTH)
    flat = np.zeros(HEIGHT * WIDTH, bool)
    flat[pixels] = True
    return flat.reshape(WIDTH, HEIGHT).T


def lies_outside(polygon):
    return bool(read_shape({"segmentation": [polygon]}, HEIGHT, WIDTH, boxes=False).problem)


@pytest.fixture
def tiny_calls(monkeypatch):
    for module in (raster, shapes):
        monkeypatch.setattr(module, "SMALL", 60)


@pytest.mark.usefixtures("tiny_calls")
@settings(max_examples=400, deadline=None)
@given(polygons.filter(lambda polygon: not lies_outside(polygon)))
def test_a_long_polygon_is_drawn_in_pieces_as_pycocotools_draws_the_whole(polygon):
    assert np.array_equal(drawn_by_us(polygon), drawn_whole(polygon))


@pytest.mark.usefixtures("tiny_calls")
def test_the_parts_of_a_large_annotation_are_united():
    left, right = [-4, 2, 9, 2, 9, 20, -4, 20], [5, 5, 30, 5, 30, 15, 5, 15]
    rle = {"size": [HEIGHT, WIDTH], "counts": [100, 150, HEIGHT * WIDTH - 250]}
    runs = coco_mask.decode(coco_mask.frPyObjects(rle, HEIGHT, WIDTH)).astype(bool)
    united = drawn_whole(left) | drawn_whole(right) | runs
    assert np.array_equal(drawn_by_us(left, right, rle), united)


def test_pycocotools_never_walks_more_than_it_can_bear(monkeypatch):
    walked = []
    draw = coco_mask.frPyObjects

    def spy(polygons, height, width):
        walked.append(sum(int(shapes.steps(p).sum()) for p in polygons))
        return draw(polygons, height, width)

    monkeypatch.setattr(raster.coco_mask, "frPyObjects", spy)
    monkeypatch.setattr(raster, "SMALL", 2000)
    monkeypatch.setattr(shapes, "SMALL", 2000)
    polygon = np.random.default_rng(0).uniform(0, WIDTH, 4000).tolist()
    small = [[1, 1, 9, 1, 9, 9, 1, 9]] * 300
    expected = drawn_whole(polygon)
    walked.clear()
    assert np.array_equal(drawn_by_us(polygon), expected)
    many = [read_shape({"segmentation": [p]}, HEIGHT, WIDTH, boxes=False) for p in small]
    assert len(list(covered_by_each(many, HEIGHT, WIDTH))) == 300
    # A piece runs back over the first corner, by two edges of at most the image's size.
    assert max(walked) < 2000 + 3 * 5 * 3 * HEIGHT


def file_of(tmp_path, annotations, categories=1, **image):
    document = {
        "images": [{"id": 1, "file_name": "a.png", "width": 64, "height": 64, **image}],
        "annotations": annotations,
        "categories": [{"id": i, "name": f"class {i}"} for i in range(1, categories + 1)],
    }
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(document))
    return path


def note(polygon, number=1, **more):
    head = {"id": number, "image_id": 1, "category_id": 1}
    return {**head, "segmentation": [polygon], **more}


def peak(work):
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_annotations_over_the_whole_image_are_never_held_together(tmp_path):
    count = 500
    dataset = read_coco(file_of(tmp_path, [note(SQUARE, i) for i in range(count)]))
    every_pixel = count * 64 * 64 * 8
    assert peak(lambda: rasterise(dataset, 1)) < every_pixel / 3
    found = []
    assert peak(lambda: found.append(overlaps(dataset, dataset.images))) < every_pixel / 3
    assert found[0] == (1, 0, count - 1)
    labels = rasterise(dataset, 1)
    labels[3, 5] = 0
    assert peak(lambda: found.append(write_back(dataset, {1: labels}))) < every_pixel / 3
    assert {note["area"] for note in found[1]["annotations"]} == {64 * 64 - 1}


def test_a_limit_is_named_and_can_be_raised(tmp_path, monkeypatch):
    polygon = np.random.default_rng(0).uniform(0, 64, 24_000).tolist()
    dataset = read_coco(file_of(tmp_path, [note(polygon)]))
    monkeypatch.setenv("NAPARI_UNET_SEG_COCO_OUTLINE", "50000")
    reason = dict(inspect(dataset).skipped)["annotation 1 of a.png"]
    assert "an outline of 358,112 pixels" in reason
    assert "the limit is 50,000, and NAPARI_UNET_SEG_COCO_OUTLINE raises it" in reason
    assert not rasterise(dataset, 1).any()
    monkeypatch.setenv("NAPARI_UNET_SEG_COCO_OUTLINE", "5000000")
    assert "annotation 1 of a.png" not in dict(inspect(dataset).skipped)
    assert rasterise(dataset, 1).any()


@pytest.mark.parametrize(
    ("size", "name"),
    [
        ({"width": 40_000, "height": 40_000}, "PIXELS"),
        ({"width": 300_000, "height": 2}, "SIDE"),
    ],
)
def test_the_limits_of_an_image_are_named_and_can_be_raised(tmp_path, monkeypatch, size, name):
    path = file_of(tmp_path, [], **size)
    document = json.loads(path.read_text())
    document["images"].append({"id": 2, "file_name": "b.png", "width": 4, "height": 4})
    path.write_text(json.dumps(document))
    ((what, why),) = read_coco(path).problems
    assert what == "a.png"
    assert f"NAPARI_UNET_SEG_COCO_{name} raises it" in why
    monkeypatch.setenv(f"NAPARI_UNET_SEG_COCO_{name}", str(2**27 if name == "SIDE" else 2**31 - 1))
    assert read_coco(path).problems == ()


def test_a_limit_that_is_no_number_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("NAPARI_UNET_SEG_COCO_SIDE", "huge")
    with pytest.raises(ConfigError, match="NAPARI_UNET_SEG_COCO_"):
        read_coco(file_of(tmp_path, []))


def test_more_categories_than_sixteen_bits_keep_their_own_values(tmp_path):
    count = 70_000
    kinds = [Category(id=i, name=f"class {i}") for i in range(1, count + 1)]
    joined, (table,) = join_categories([kinds])
    assert len(joined) == count
    assert np.array_equal(table, np.arange(count + 1))
    box = [8, 8, 16, 8, 16, 16, 8, 16]
    dataset = read_coco(file_of(tmp_path, [note(box, category_id=count)], count))
    assert rasterise(dataset, 1).max() == count
