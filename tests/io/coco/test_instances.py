"""Annotations as label values of their own, and back into the file."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from written_back import write_back_instances

from napari_unet_seg.config import Category, CocoOptions
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.coco.encode import Encoder
from napari_unet_seg.io.coco.instances import draw_instances, instance_dtype
from napari_unet_seg.io.coco.raster import draw
from napari_unet_seg.io.coco.read import CocoDataset, CocoImage, read_coco
from napari_unet_seg.io.coco.report import overlaps

HEIGHT, WIDTH = SHAPE = (9, 11)
CATEGORIES = (Category(id=7, name="glioma"), Category(id=0, name="meningioma"))
IMAGES = tuple(CocoImage(i, f"{i}.png", WIDTH, HEIGHT, None) for i in (3, 8))


def box(x, y, width, height):
    return [x, y, x + width, y, x + width, y + height, x, y + height]


def annotation(identity, image, category, *polygons, **more):
    head = {"iscrowd": 0, "id": identity, "image_id": image, "category_id": category}
    return {**head, "segmentation": list(polygons), "area": 1.0, "bbox": [0, 0, 1, 1], **more}


def in_memory(annotations):
    groups = {image.id: [a for a in annotations if a["image_id"] == image.id] for image in IMAGES}
    document = {"images": [], "annotations": annotations, "unknown": 1}
    return CocoDataset(None, document, None, CATEGORIES, (), IMAGES, groups, ())


def drawn(annotations):
    """The mask of both images, and what its values stand for."""
    dataset = in_memory(annotations)
    stack = np.zeros((2, *SHAPE), instance_dtype(dataset, IMAGES))
    return stack, draw_instances(dataset, IMAGES, stack)


def edited(stack):
    return {image.id: plane for image, plane in zip(IMAGES, stack, strict=True)}


boxes = st.builds(box, st.integers(-2, 9), st.integers(-2, 8), st.integers(3, 7), st.integers(3, 6))


@st.composite
def documents(draw):
    count = draw(st.integers(0, 5))
    pick = [
        draw(st.tuples(st.sampled_from([3, 8]), st.sampled_from([7, 0]), boxes, st.booleans()))
        for _ in range(count)
    ]
    return [
        annotation(10 + i, image, category, shape, iscrowd=int(crowd), attributes={"n": i})
        for i, (image, category, shape, crowd) in enumerate(pick)
    ]


@settings(max_examples=200, deadline=None)
@given(documents())
def test_every_annotation_has_a_value_of_its_own_even_below_others(annotations):
    stack, instances = drawn(annotations)
    ordered = sorted(annotations, key=lambda a: a["image_id"])
    assert [row.annotation for row in instances.rows] == ordered
    for plane, image in zip(stack, IMAGES, strict=True):
        pixels = instances.drawn(image)
        expected = np.zeros(SHAPE, int)
        for item in pixels:
            expected.T.flat[item.pixels] = (
                instances.rows.index((image, item_category(item.annotation), item.annotation)) + 1
            )
        assert np.array_equal(plane, expected)


def item_category(annotation):
    return next(c for c in CATEGORIES if c.id == annotation["category_id"])


@settings(max_examples=300, deadline=None)
@given(documents())
def test_nothing_edited_gives_the_same_document(annotations):
    before = copy.deepcopy(annotations)
    stack, instances = drawn(annotations)
    result = write_back_instances(instances, edited(stack))
    assert result == {"images": [], "annotations": before, "unknown": 1}
    assert all(a is b for a, b in zip(result["annotations"], annotations, strict=True))


@settings(max_examples=400, deadline=None)
@given(documents(), st.data())
def test_what_is_painted_comes_back_and_the_rest_stays(annotations, data):
    before = copy.deepcopy(annotations)
    stack, instances = drawn(annotations)
    known = len(instances.rows)
    new = stack.copy()
    y, x = data.draw(st.integers(0, HEIGHT - 1)), data.draw(st.integers(0, WIDTH - 1))
    value = data.draw(st.integers(0, known + 1))
    new[0, y : y + 3, x : x + 4] = value
    changed = new[0] != stack[0]
    options = CocoOptions(segmentation=data.draw(st.sampled_from(["auto", "rle", "polygons"])))
    result = write_back_instances(
        instances, edited(new), kinds={known + 1: CATEGORIES[1]}, encoder=Encoder(options)
    )
    assert annotations == before, "the document that was read must not change"
    after = {a["id"]: a for a in result["annotations"]}
    for number, row in enumerate(instances.rows, 1):
        mask = covered(row.annotation, row.image)
        if row.image.id == 3:
            expected = (mask & ~(changed & (new[0] != number))) | (changed & (new[0] == number))
        else:
            expected = mask
        found = after.pop(row.annotation["id"], None)
        if np.array_equal(expected, mask):
            assert found is row.annotation or not mask.any()
        elif not expected.any():
            assert found is None
        else:
            assert np.array_equal(covered(found, row.image), expected)
            assert found["area"] == expected.sum()
            kept = ("id", "image_id", "category_id", "iscrowd", "attributes")
            assert [found[key] for key in kept] == [row.annotation[key] for key in kept]
            assert isinstance(found["segmentation"], dict) or not found["iscrowd"]
    fresh = changed & (new[0] == value) & (value > 0)
    is_new = fresh.any() and (value > known or instances.rows[value - 1].image.id != 3)
    assert len(after) == is_new
    for identity, made in after.items():
        assert identity == max([a["id"] for a in annotations], default=0) + 1
        assert np.array_equal(covered(made, IMAGES[0]), fresh)
        category = CATEGORIES[1] if value > known else instances.rows[value - 1].category
        assert made["category_id"] == category.id


def covered(annotation, image):
    groups = {i.id: [annotation] if i is image else [] for i in IMAGES}
    dataset = CocoDataset(None, {}, None, CATEGORIES, (), IMAGES, groups, ())
    mask = np.zeros((WIDTH, HEIGHT), bool)
    for item in draw(dataset, image, CATEGORIES, boxes=False):
        mask.flat[item.pixels] = True
    return mask.T


def test_a_new_value_in_two_images_is_an_annotation_in_each():
    stack, instances = drawn([annotation(2**31 + 4, 3, 7, box(0, 0, 3, 3))])
    stack[:, 6, 6] = 2
    result = write_back_instances(instances, edited(stack), kinds={2: CATEGORIES[0]})
    assert [(a["id"], a["image_id"], a["category_id"]) for a in result["annotations"]] == [
        (2**31 + 4, 3, 7),
        (2**31 + 5, 3, 7),
        (2**31 + 6, 8, 7),
    ]


def test_an_annotation_painted_over_wholly_is_removed_and_its_number_not_used_again():
    stack, instances = drawn(
        [annotation(5, 3, 7, box(0, 0, 3, 3)), annotation(4, 3, 0, box(5, 0, 3, 3))]
    )
    stack[0][stack[0] == 1] = 0
    stack[0, 8, 8] = 3
    result = write_back_instances(instances, edited(stack), kinds={3: CATEGORIES[0]})
    assert [a["id"] for a in result["annotations"]] == [4, 6]


def test_more_instances_than_a_byte_or_two_bytes_hold():
    many = [annotation(i, 3, 7, box(1, 1, 2, 2)) for i in range(2**15 + 1)]
    stack, instances = drawn(many)
    assert stack.dtype == np.uint32
    assert stack.max() == len(instances.rows) == len(many)
    assert drawn(many[:300])[0].dtype == np.uint16


def test_a_value_without_a_category_is_refused():
    stack, instances = drawn([annotation(5, 3, 7, box(0, 0, 3, 3))])
    stack[1, 4, 4] = 9
    with pytest.raises(DataError, match=r"8\.png in None holds the label 9, which has no category"):
        write_back_instances(instances, edited(stack))
    with pytest.raises(DataError, match="shape"):
        write_back_instances(instances, {3: np.zeros((2, 2), np.uint8)})


def test_an_8_bit_mask_is_compared_with_values_beyond_its_range():
    many = [annotation(i, 3, 7, box(0, 0, 3, 3)) for i in range(300)]
    _, instances = drawn(many)
    result = write_back_instances(instances, {3: np.zeros(SHAPE, np.uint8)})
    assert result["annotations"] == []


def test_one_edited_instance_of_a_real_set_changes_one_annotation(real_data):
    dataset = read_coco(real_data / "tumorseg" / "valid" / "_annotations.coco.json")
    images = [image for image in dataset.images if image.height == image.width == 640][:40]
    stack = np.zeros((len(images), 640, 640), np.uint16)
    instances = draw_instances(dataset, images, stack)
    value = 5
    row = instances.rows[value - 1]
    place = images.index(row.image)
    rows, columns = np.nonzero(stack[place] == value)
    stack[place, rows[:3], columns[:3]] = 0
    masks = {image.id: plane for image, plane in zip(images, stack, strict=True)}
    result = write_back_instances(instances, masks)
    old = dataset.document["annotations"]
    differing = [(a, b) for a, b in zip(old, result["annotations"], strict=True) if a != b]
    assert [(a["id"], b["id"]) for a, b in differing] == [(row.annotation["id"],) * 2]


@settings(max_examples=100, deadline=None)
@given(arrays(np.uint16, (2, *SHAPE), elements=st.integers(0, 3)))
def test_reading_what_was_written_gives_the_same_mask(stack):
    _, instances = drawn([annotation(1, 3, 7, box(1, 1, 4, 4))])
    added = {2: CATEGORIES[0], 3: CATEGORIES[1]}
    stack[1][stack[1] == 1] = 0
    result = write_back_instances(instances, edited(stack), kinds=added)
    again, found = drawn(result["annotations"])
    for before, after in zip(stack, again, strict=True):
        pairs = {*zip(before.ravel().tolist(), after.ravel().tolist(), strict=True)}
        assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
        assert (0, 0) in pairs or before.all()
    assert found.dataset.document["annotations"] == result["annotations"]


def test_overlaps_are_counted():
    dataset = in_memory(
        [
            annotation(1, 3, 7, box(0, 0, 4, 4)),
            annotation(2, 3, 7, box(5, 5, 2, 2)),
            annotation(3, 3, 0, box(2, 2, 6, 6)),
            annotation(4, 8, 0, box(0, 0, 4, 4)),
            annotation(5, 8, 0, box(4, 0, 4, 4)),
        ]
    )
    found = overlaps(dataset, IMAGES)
    assert found == (1, 1, 1)
    assert str(found).startswith("In 1 images later annotations cover 2 others, 1 of them comp")
    assert str(overlaps(in_memory([]), IMAGES)) == ""


def test_another_category_changes_nothing_else():
    before = [
        annotation(1, 3, 7, box(0, 0, 3, 3), own=[1]),
        annotation(2, 3, 7, box(4, 4, 3, 3)),
        annotation(3, 8, 0, box(0, 0, 3, 3)),
    ]
    stack, instances = drawn(before)
    stack[0][stack[0] == 2] = 0
    kinds = dict.fromkeys((1, 2, 3), CATEGORIES[1])
    after = write_back_instances(instances, edited(stack), kinds=kinds)["annotations"]
    assert after == [{**before[0], "category_id": 0}, before[2]]
    assert after[1] is before[2]
