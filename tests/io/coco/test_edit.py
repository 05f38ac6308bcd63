from __future__ import annotations

import copy
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from written_back import write_back

from napari_unet_seg.config import IGNORE_INDEX, Category
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.coco.raster import rasterise
from napari_unet_seg.io.coco.read import CocoDataset, CocoImage, read_coco
from napari_unet_seg.io.coco.write import save_coco

SHAPE = (9, 11)
CATEGORIES = (Category(id=7, name="glioma"), Category(id=0, name="meningioma"))


def box(x, y, width, height):
    return [x, y, x + width, y, x + width, y + height, x, y + height]


def dataset_of(annotations, tmp_path, categories=CATEGORIES):
    document = {
        "info": {"year": "2023", "extra": [1, 2.5]},
        "licenses": [{"id": 1}],
        "unknown": {"kept": True},
        "categories": [c.model_dump() for c in categories],
        "images": [
            {"id": 3, "file_name": "a.png", "height": SHAPE[0], "width": SHAPE[1], "odd": None},
            {"id": 9, "file_name": "empty.png", "height": 5, "width": 5},
        ],
        "annotations": annotations,
    }
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(document))
    return read_coco(path)


def annotation(identity, category, *polygons, **more):
    head = {"iscrowd": 0, "id": identity, "image_id": 3, "category_id": category}
    return {**head, "segmentation": list(polygons), "area": 1.0, "bbox": [0, 0, 1, 1], **more}


def test_ids_that_are_texts_are_kept_as_they_are(tmp_path):
    notes = [
        {
            "id": "n1",
            "image_id": "scan-1",
            "category_id": "tumour",
            "segmentation": [box(1, 1, 3, 3)],
        },
        {"id": "2", "image_id": "scan-1", "category_id": "cyst", "segmentation": [box(6, 5, 2, 2)]},
    ]
    document = {
        "images": [{"id": "scan-1", "file_name": "a.png", "height": SHAPE[0], "width": SHAPE[1]}],
        "categories": [{"id": "tumour", "name": "tumour"}, {"id": "cyst", "name": "cyst"}],
        "annotations": notes,
    }
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(document))
    dataset = read_coco(path)
    assert not dataset.problems
    labels = rasterise(dataset, "scan-1")
    assert set(np.unique(labels)) == {0, 1, 2}
    assert write_back(dataset, {"scan-1": labels}) == document
    labels[8, 0] = 2
    labels[1, 1] = 0
    found = write_back(dataset, {"scan-1": labels})["annotations"]
    assert [a["id"] for a in found] == ["n1", "2", "1"]
    assert [a["category_id"] for a in found] == ["tumour", "cyst", "cyst"]
    assert found[1] == notes[1]
    assert found[2]["image_id"] == "scan-1"


boxes = st.builds(box, st.integers(-2, 9), st.integers(-2, 8), st.integers(3, 7), st.integers(3, 6))
triangles = st.lists(st.floats(0.5, 10), min_size=6, max_size=10).filter(lambda p: len(p) % 2 == 0)


@st.composite
def documents(draw):
    count = draw(st.integers(0, 5))
    shapes = [draw(st.one_of(boxes, triangles)) for _ in range(count)]
    categories = [draw(st.sampled_from([7, 0])) for _ in range(count)]
    crowds = [draw(st.integers(0, 1)) for _ in range(count)]
    return [
        annotation(10 + i, c, s, iscrowd=w, attributes={"n": i})
        for i, (c, s, w) in enumerate(zip(categories, shapes, crowds, strict=True))
    ]


def in_memory(annotations):
    """The dataset as `read_coco` makes it, without a file."""
    document = {"images": [], "annotations": annotations}
    image = CocoImage(3, "a.png", SHAPE[1], SHAPE[0], None)
    return CocoDataset(None, document, None, CATEGORIES, (), (image,), {3: annotations}, ())


@settings(max_examples=400, deadline=None)
@given(documents(), arrays(np.uint8, SHAPE, elements=st.integers(0, 2)))
def test_rasterising_the_result_gives_the_edited_labels(annotations, labels):
    result = write_back(in_memory(annotations), {3: labels})
    assert np.array_equal(rasterise(in_memory(result["annotations"]), 3), labels)


@settings(max_examples=400, deadline=None)
@given(documents(), st.data())
def test_annotations_away_from_the_edit_keep_their_json(annotations, data):
    dataset = in_memory(annotations)
    before = copy.deepcopy(annotations)
    labels = rasterise(dataset, 3)
    y, x = data.draw(st.integers(0, SHAPE[0] - 1)), data.draw(st.integers(0, SHAPE[1] - 1))
    labels[y : y + 2, x : x + 2] = data.draw(st.integers(0, 2))
    changed = rasterise(dataset, 3) != labels
    result = {a["id"]: a for a in write_back(dataset, {3: labels})["annotations"]}
    assert annotations == before, "the document that was read must not change"
    near = np.pad(changed, 1)
    near = np.any([np.roll(near, (dy, dx), (0, 1)) for dy in (-1, 0, 1) for dx in (-1, 0, 1)], 0)
    for old in before:
        mask = rasterise(in_memory([old]), 3) > 0
        if not (mask & near[1:-1, 1:-1]).any():
            assert result[old["id"]] == old
            assert list(result[old["id"]]) == list(old)


@pytest.fixture
def three(tmp_path):
    """Two neighbours of one category that touch, and one of another below the second."""
    return dataset_of(
        [
            annotation(2**31 + 5, 0, box(6, 0, 5, 4), note="below"),
            annotation(4, 7, box(1, 1, 3, 3)),
            annotation(5, 7, box(4, 1, 3, 3), unknown=[1]),
        ],
        tmp_path,
    )


def test_nothing_edited_gives_the_same_document(three):
    result = write_back(three, {3: rasterise(three, 3), 9: np.zeros((5, 5), np.uint8)})
    assert result == three.document
    assert json.dumps(result) == json.dumps(three.document)


def test_one_of_two_touching_neighbours_is_edited_alone(three):
    labels = rasterise(three, 3)
    labels[1, 1] = 0
    old, new = three.document["annotations"], write_back(three, {3: labels})["annotations"]
    assert [new[0], new[2]] == [old[0], old[2]]
    assert new[1]["id"] == 4
    assert new[1]["area"] == 8
    assert new[1]["bbox"] == [1.0, 1.0, 3.0, 3.0]


def test_an_instance_below_another_lives_on(three):
    labels = rasterise(three, 3)
    labels[8, 10] = 1
    labels[1:4, 4:7] = 0
    labels[1:4, 6] = 2
    new = write_back(three, {3: labels})["annotations"]
    assert new[0] == three.document["annotations"][0], "seen again where the cover was removed"
    assert [a["id"] for a in new] == [2**31 + 5, 4, 2**31 + 6], "5 is gone, 8/10 is new"
    assert new[2]["category_id"] == 7
    assert new[2]["segmentation"] == [[10, 8, 11, 8, 11, 9, 10, 9]] or new[2]["area"] == 1


def test_painting_joins_the_neighbour_with_the_longer_border(three):
    labels = rasterise(three, 3)
    labels[4, 3:7] = 1
    new = {a["id"]: a for a in write_back(three, {3: labels})["annotations"]}
    assert (new[4], new[5]["area"]) == (three.document["annotations"][1], 13)


def test_unreviewed_pixels_are_not_edits(three):
    labels = rasterise(three, 3)
    labels[0:5, 0:5] = IGNORE_INDEX
    assert write_back(three, {3: labels}) == three.document


def test_a_ring_becomes_rle_and_a_crowd_stays_one(tmp_path):
    crowd = annotation(1, 7, box(0, 0, 3, 3), iscrowd=1)
    dataset = dataset_of([crowd, annotation(2, 7, box(5, 0, 5, 5))], tmp_path)
    labels = rasterise(dataset, 3)
    labels[0, 0] = labels[2, 7] = 0
    crowd, ring = write_back(dataset, {3: labels})["annotations"]
    assert isinstance(crowd["segmentation"]["counts"], str)
    assert (crowd["iscrowd"], crowd["area"]) == (1, 8)
    assert isinstance(ring["segmentation"]["counts"], str)
    assert (ring["iscrowd"], ring["area"]) == (0, 24)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.zeros((4, 4), np.uint8), ["a.png", "(4, 4)", "(9, 11)"]),
        (np.full(SHAPE, 3, np.uint8), ["a.png", "label 3", "2 categories"]),
        (np.full(SHAPE, -1), ["a.png", "label -1"]),
        (np.ones(SHAPE, np.float32), ["a.png", "float32"]),
    ],
)
def test_masks_that_do_not_fit_are_refused(three, labels, words):
    with pytest.raises(DataError) as caught:
        write_back(three, {3: labels})
    assert all(word in str(caught.value) for word in words)


def test_an_unknown_image_is_refused(three):
    with pytest.raises(DataError, match="id 77"):
        write_back(three, {77: np.zeros(SHAPE, np.uint8)})


def test_a_saved_document_reads_back_equal(three, tmp_path):
    save_coco(three.document, three.path)
    assert json.loads(three.path.read_text()) == three.document
    assert read_coco(tmp_path / "coco.bak.json").document == three.document


def test_one_edit_in_a_real_set_changes_one_annotation(real_data):
    dataset = read_coco(real_data / "tumorseg" / "valid" / "_annotations.coco.json")
    edited = {image.id: rasterise(dataset, image.id) for image in dataset.images[:50]}
    old = dataset.document["annotations"]
    target = old[7]
    x, y = (int(n) + 2 for n in target["bbox"][:2])
    edited[target["image_id"]][y : y + 3, x : x + 3] = 0
    result = write_back(dataset, edited)
    differing = [(a, b) for a, b in zip(old, result["annotations"], strict=True) if a != b]
    assert [(a["id"], b["id"]) for a, b in differing] == [(target["id"], target["id"])]
    assert {**result, "annotations": old} == dataset.document
