from __future__ import annotations

import json

import numpy as np
import pytest
from growth import LINEAR, growth
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from napari_unet_seg.config import IGNORE_INDEX, Category, CocoOptions
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.coco.encode import Encoder
from napari_unet_seg.io.coco.write import labels_to_coco, save_coco

CATEGORIES = (Category(id=5, name="lesion", supercategory="x"), Category(id=0, name="oedema"))


lossless = st.builds(
    CocoOptions,
    segmentation=st.sampled_from(["auto", "rle", "polygons"]),
    neighbours=st.sampled_from([8, 4]),
)


def loaded(document) -> COCO:
    """The document as pycocotools' own class, after a trip through JSON."""
    coco = COCO()
    coco.dataset = json.loads(json.dumps(document))
    coco.createIndex()
    return coco


def drawn(coco: COCO, image_id, shape):
    labels = np.zeros(shape, np.uint8)
    values = {category.id: value for value, category in enumerate(CATEGORIES, 1)}
    for annotation in coco.loadAnns(coco.getAnnIds(image_id)):
        labels[coco.annToMask(annotation) > 0] = values[annotation["category_id"]]
    return labels


@settings(max_examples=150, deadline=None)
@given(arrays(np.uint8, (3, 7, 9), elements=st.integers(0, 2)), lossless)
def test_pycocotools_draws_the_same_labels(stack, options):
    named = [(f"{i}.png", plane) for i, plane in enumerate(stack)]
    document = labels_to_coco(named, CATEGORIES, encoder=Encoder(options))
    coco = loaded(document)
    for image, plane in zip(coco.dataset["images"], stack, strict=True):
        assert np.array_equal(drawn(coco, image["id"], plane.shape), plane)
    for annotation in coco.dataset["annotations"]:
        mask = coco.annToMask(annotation)
        rows, columns = np.nonzero(mask)
        width, height = np.ptp(columns) + 1, np.ptp(rows) + 1
        assert annotation["bbox"] == [columns.min(), rows.min(), width, height]
        assert annotation["area"] == mask.sum()
        assert annotation["iscrowd"] == 0


def test_pixels_that_touch_at_a_corner_are_one_area_or_two():
    labels = np.eye(2, dtype=np.uint8)
    assert len(labels_to_coco([("a.png", labels)], CATEGORIES)["annotations"]) == 1
    encoder = Encoder(CocoOptions(neighbours=4))
    apart = labels_to_coco([("a.png", labels)], CATEGORIES, encoder=encoder)["annotations"]
    assert [a["id"] for a in apart] == [1, 2]


@settings(max_examples=150, deadline=None)
@given(arrays(np.uint16, (2, 7, 9), elements=st.integers(0, 4)), lossless)
def test_values_of_single_objects_become_one_annotation_an_image(stack, options):
    kinds = {1: CATEGORIES[1], 2: CATEGORIES[0], 300: CATEGORIES[1], 4: CATEGORIES[1]}
    stack[stack == 3] = 300
    named = [(f"{i}.png", plane) for i, plane in enumerate(stack)]
    encoder = Encoder(options)
    coco = loaded(labels_to_coco(named, CATEGORIES, instances=kinds, encoder=encoder))
    found = [
        (a["image_id"], a["category_id"], coco.annToMask(a).tolist())
        for a in coco.dataset["annotations"]
    ]
    assert found == [
        (i, kinds[value].id, (plane == value).astype(int).tolist())
        for i, plane in enumerate(stack, 1)
        for value in np.unique(plane[plane > 0]).tolist()
    ]


def test_an_object_without_a_category_is_refused():
    with pytest.raises(DataError, match=r"a\.png holds the label 2, which has no category; select"):
        labels_to_coco([("a.png", np.diag([1, 2]))], CATEGORIES, instances={1: CATEGORIES[0]})


def test_an_export_against_itself_is_perfect():
    generator = np.random.default_rng(3)
    planes = (generator.random((4, 40, 40)) > 0.8).astype(np.uint8).repeat(2, 1).repeat(2, 2)
    document = labels_to_coco([(f"{i}.png", p) for i, p in enumerate(planes)], CATEGORIES)
    truth = loaded(document)
    results = [{**annotation, "score": 1.0} for annotation in document["annotations"]]
    evaluation = COCOeval(truth, truth.loadRes(results), "segm")
    evaluation.params.maxDets = [1, 100, 10_000]
    evaluation.evaluate()
    evaluation.accumulate()
    precision = evaluation.eval["precision"][..., 0, -1]
    assert precision[precision > -1].min() == pytest.approx(1.0)


def test_categories_and_images_without_annotations_are_kept():
    document = labels_to_coco([("empty.png", np.zeros((3, 4), np.int64))], CATEGORIES)
    assert [c["id"] for c in document["categories"]] == [5, 0]
    assert document["images"] == [{"id": 1, "file_name": "empty.png", "width": 4, "height": 3}]
    assert document["annotations"] == []


def test_unreviewed_pixels_are_left_out():
    labels = np.full((3, 3), IGNORE_INDEX, np.uint8)
    labels[1, 1] = 2
    (annotation,) = labels_to_coco([("a.png", labels)], CATEGORIES)["annotations"]
    assert (annotation["area"], annotation["category_id"]) == (1, 0)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.zeros((2, 3, 4), np.uint8), r"a\.png has the shape \(2, 3, 4\)"),
        (np.full((2, 2), 3), "label 3, but there are only 2"),
        (np.ones((2, 2)), "float64"),
    ],
)
def test_masks_that_are_no_labels_are_refused(labels, words):
    with pytest.raises(DataError, match=words):
        labels_to_coco([("a.png", labels)], CATEGORIES)


def test_the_previous_file_is_kept_and_a_failure_leaves_it(tmp_path):
    path = tmp_path / "coco.json"
    save_coco({"images": [{"counts": b"abc"}]}, path)
    save_coco({"images": []}, path)
    assert json.loads((tmp_path / "coco.bak.json").read_text()) == {"images": [{"counts": "abc"}]}
    with pytest.raises(TypeError):
        save_coco({"images": [object()]}, path)
    assert json.loads(path.read_text()) == {"images": []}
    with pytest.raises(DataError, match="nowhere"):
        save_coco({}, tmp_path / "nowhere" / "coco.json")


@pytest.mark.slow
@pytest.mark.serial
def test_a_volume_is_exported_in_linear_time():
    y, x = np.mgrid[:120, :120]

    def prepare(slices):
        planes = [
            ((y - 60) ** 2 + (x - 50) ** 2 < r**2).astype(np.uint8)
            + ((y - 60) ** 2 + (x - 50) ** 2 < (r / 2) ** 2)
            for r in np.linspace(5, 45, slices)
        ]
        named = [(f"{i}.png", plane) for i, plane in enumerate(planes)]
        return lambda: labels_to_coco(named, CATEGORIES)

    assert len(prepare(20)()["annotations"]) == 40
    assert growth(prepare, 20) < LINEAR
