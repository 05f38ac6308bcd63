from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools import mask as coco_mask
from scipy import ndimage

from napari_unet_seg.config import CocoOptions
from napari_unet_seg.io.coco.encode import Encoder, Place, measure
from napari_unet_seg.io.coco.geometry.polygons import trace
from napari_unet_seg.io.coco.geometry.rle import pixels_of_all, read_rle

masks = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=14))


def encode(mask, **options):
    return Encoder(CocoOptions(**options)).segmentation(mask)


def read_back(segmentation, shape):
    """What pycocotools' own COCO.annToMask does."""
    if isinstance(segmentation, dict):
        return coco_mask.decode(segmentation).astype(bool)
    if not segmentation:
        return np.zeros(shape, bool)
    return coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(segmentation, *shape))) > 0


@settings(max_examples=600, deadline=None)
@given(masks)
def test_pycocotools_reads_back_the_identical_mask_and_holes_are_rle(mask):
    found = encode(mask)
    assert np.array_equal(read_back(found, mask.shape), mask)
    # The complement of 4-connected parts is 8-connected.
    background, count = ndimage.label(~np.pad(mask, 1), np.ones((3, 3)))
    assert isinstance(found, dict) == (count > 1)
    assert background[0, 0] == 1


@settings(max_examples=600, deadline=None)
@given(masks)
def test_polygons_alone_draw_a_mask_with_holes_too(mask):
    encoder = Encoder(CocoOptions(segmentation="polygons"))
    polygons = encoder.segmentation(mask)
    assert isinstance(polygons, list)
    assert np.array_equal(read_back(polygons, mask.shape), mask)
    assert encoder.cut == isinstance(encode(mask), dict)
    for polygon in polygons:
        drawn = read_back([polygon], mask.shape)
        assert ndimage.label(~np.pad(drawn, 1), np.ones((3, 3)))[1] == 1, "it has a hole"


def test_a_noisy_mask_is_cut_without_a_polygon_for_every_pixel():
    mask = np.ones((61, 61), bool)
    mask[1::2, 1::2] = False  # 900 holes
    polygons = encode(mask, segmentation="polygons")
    assert np.array_equal(read_back(polygons, mask.shape), mask)
    assert len(polygons) == 31


def test_a_tolerance_leaves_corners_out_and_stays_near():
    y, x = np.mgrid[:60, :60]
    disc = (y - 30) ** 2 + (x - 28) ** 2 < 400
    exact, [simple] = encode(disc), encode(disc, tolerance=1.0)
    assert len(simple) < len(exact[0]) / 2
    off = read_back([simple], disc.shape) != disc
    rim = ndimage.binary_dilation(disc, iterations=2) & ~ndimage.binary_erosion(disc, iterations=2)
    assert 0 < off.sum() < 0.1 * disc.sum()
    assert not (off & ~rim).any()


@settings(max_examples=100, deadline=None)
@given(masks, st.floats(0.01, 10))
def test_no_part_vanishes_by_the_tolerance(mask, tolerance):
    polygons = encode(mask, segmentation="polygons", tolerance=tolerance)
    assert all(len(polygon) >= 6 for polygon in polygons)
    assert len(polygons) == len(encode(mask, segmentation="polygons"))


def test_crowds_are_rle_whatever_the_options_say():
    encoder = Encoder(CocoOptions(segmentation="polygons"))
    assert isinstance(encoder.segmentation(np.ones((3, 3)), crowd=True), dict)


@settings(max_examples=200, deadline=None)
@given(masks)
def test_every_four_connected_part_has_one_outer_ring(mask):
    def area(ring):
        x, y = ring.T.astype(int)
        return int((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())

    outer = [ring for ring in trace(mask) if area(ring) > 0]
    assert len(outer) == ndimage.label(mask)[1]
    assert sum(area(ring) for ring in trace(mask)) == 2 * mask.sum()


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        ([[1]], [[0, 0, 1, 0, 1, 1, 0, 1]]),
        ([[1, 1], [1, 1]], [[0, 0, 2, 0, 2, 2, 0, 2]]),
        ([[1, 0], [0, 1]], [[0, 0, 1, 0, 1, 1, 0, 1], [1, 1, 2, 1, 2, 2, 1, 2]]),
        ([[0, 0]], []),
    ],
)
def test_small_masks(mask, expected):
    def corners(polygon):
        return {tuple(polygon[i : i + 2]) for i in range(0, len(polygon), 2)}

    result = encode(np.array(mask))
    assert [corners(p) for p in result] == [corners(p) for p in expected]


@settings(max_examples=200, deadline=None)
@given(masks.filter(lambda mask: mask.any()))
def test_box_and_area_are_those_of_pycocotools(mask):
    rle = coco_mask.encode(np.asfortranarray(mask, np.uint8))
    bbox, area = measure(encode(mask), *mask.shape)
    assert bbox == coco_mask.toBbox(rle).tolist()
    assert area == mask.sum() == coco_mask.area(rle)
    assert measure(encode(mask, segmentation="rle"), *mask.shape) == (bbox, area)


@settings(max_examples=300, deadline=None)
@given(masks, st.booleans())
def test_runs_name_the_foreground(mask, compressed):
    rle = encode(mask, segmentation="rle")
    runs = read_rle(rle, *mask.shape)
    if not compressed:
        runs = read_rle({"size": list(mask.shape), "counts": runs.tolist()}, *mask.shape)
    flat = np.zeros(mask.size, bool)
    flat[pixels_of_all([runs])[0]] = True
    assert np.array_equal(flat.reshape(mask.shape[::-1]).T, mask)


@pytest.mark.parametrize(
    "rle",
    [
        {},
        {"size": [4, 4], "counts": [16]},
        {"size": [3, 4], "counts": [11]},
        {"size": [3, 4], "counts": [13]},
        {"size": [3, 4], "counts": [-1, 13]},
        {"size": [3, 4], "counts": [10**30]},
        {"size": [3, 4], "counts": [6.0, 6.0]},
        {"size": [3, 4], "counts": ""},
        {"size": [3, 4], "counts": "PPPPPPPPPPPPPPPPPPPP0"},
        {"size": [3, 4], "counts": "0P"},
        {"size": [3, 4], "counts": "\x00é"},
        {"size": [3, 4], "counts": None},
    ],
)
def test_broken_rle_is_refused(rle):
    with pytest.raises(ValueError, match="its RLE"):
        read_rle(rle, 3, 4)


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.binary(max_size=30), st.text(max_size=30), st.lists(st.integers(-5, 40))))
def test_any_counts_are_read_or_refused(counts):
    try:
        runs = read_rle({"counts": counts}, 5, 6)
    except ValueError:
        return
    assert runs.sum() == 30
    assert (pixels_of_all([runs])[0] < 30).all()


@settings(max_examples=100, deadline=None)
@given(masks, st.tuples(st.integers(0, 5), st.integers(0, 7)), st.booleans())
def test_a_part_of_an_image_is_encoded_as_the_whole_image_is(mask, corner, crowd):
    top, left = corner
    whole = np.pad(mask, ((top, 3), (left, 2)))
    encoder = Encoder()
    found = encoder.geometry(mask, Place(corner, whole.shape), crowd=crowd)
    assert found == encoder.geometry(whole, crowd=crowd)
    if crowd:
        assert found["segmentation"]["counts"] == encode_whole(whole)["counts"].decode()
    if mask.any():
        assert (found["bbox"], found["area"]) == measure(found["segmentation"], *whole.shape)


def encode_whole(mask):
    return coco_mask.encode(np.asfortranarray(mask, np.uint8))
