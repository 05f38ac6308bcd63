"""Masks against the truth: figures by hand, pairs by name, grids that must agree."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from napari_unet_seg.config import Category
from napari_unet_seg.errors import ConfigError, DataError
from napari_unet_seg.evaluation.evaluate import Evaluation, evaluate
from napari_unet_seg.io.coco.write import labels_to_coco, save_coco
from napari_unet_seg.io.images.tiff import write_labels

if TYPE_CHECKING:
    from napari_unet_seg.events import ItemDone


def square(*bounds: slice, size: int = 20, value: int = 1) -> np.ndarray:
    mask = np.zeros((size, size), np.uint8)
    mask[bounds] = value
    return mask


LEFT = square(slice(0, 10), slice(0, 10))
RIGHT = square(slice(0, 10), slice(5, 15))
EMPTY = square(size=20, value=0)


@pytest.fixture
def folders(tmp_path):
    """Write masks by name into two folders."""

    def write(predicted, truth, **options):
        for folder, masks in (("pred", predicted), ("truth", truth)):
            (tmp_path / folder).mkdir()
            for name, mask in masks.items():
                axes = options.get("axes", "YX")
                chosen = {**options, "axes": axes}
                write_labels(tmp_path / folder / f"{name}.tif", mask, **chosen)
        return tmp_path / "pred", tmp_path / "truth"

    return write


def run(*args) -> tuple[Evaluation, list[ItemDone]]:
    *items, result = evaluate(*args)
    assert isinstance(result, Evaluation)
    return result, items


def test_figures_of_a_known_overlap(folders):
    result, _ = run(*folders({"a": LEFT}, {"a": RIGHT}))
    (summary,) = result.summaries
    assert (summary.dice, summary.iou) == (0.5, pytest.approx(1 / 3))
    assert (summary.precision, summary.recall) == (0.5, 0.5)


def test_distance_is_in_the_masks_unit(folders):
    result, _ = run(*folders({"a": LEFT}, {"a": RIGHT}, spacing=(1.0, 0.5), unit="mm"))
    assert result.unit == "mm"
    assert result.summaries[0].hd95 == pytest.approx(2.5)


def test_distance_without_a_unit_is_in_pixels(folders):
    result, _ = run(*folders({"a": LEFT}, {"a": RIGHT}, spacing=(0.5, 0.5), unit="pixel"))
    assert result.unit == "pixel"
    assert result.summaries[0].hd95 == pytest.approx(5)


def test_both_empty_is_counted_and_left_out_of_the_mean(folders):
    masks = {"a": LEFT, "healthy": EMPTY}
    result, _ = run(*folders(masks, masks))
    (summary,) = result.summaries
    assert (summary.samples, summary.empty, summary.dice) == (2, 1, 1.0)


def test_a_false_alarm_counts_as_zero(folders):
    result, _ = run(*folders({"a": LEFT, "healthy": LEFT}, {"a": LEFT, "healthy": EMPTY}))
    (summary,) = result.summaries
    assert (summary.dice, summary.empty, summary.hd95_samples) == (0.5, 0, 1)
    assert summary.pooled_dice == pytest.approx(2 / 3)


def test_groups_by_the_patterns_first_group(folders):
    predicted = {"p1_ax": LEFT, "p2_ax": LEFT, "p2_co": LEFT}
    truth = {"p1_ax": LEFT, "p2_ax": RIGHT, "p2_co": RIGHT}
    result, _ = run(*folders(predicted, truth), r"^(p\d)_")
    dice = {s.group: (s.samples, s.dice) for s in result.summaries}
    assert dice == {"": (3, pytest.approx(2 / 3)), "p1": (1, 1.0), "p2": (2, 0.5)}


def test_several_labels_are_measured_apart(folders):
    two = LEFT + 2 * square(slice(12, 16), slice(0, 4))
    result, _ = run(*folders({"a": two}, {"a": LEFT}))
    assert {s.category: s.dice for s in result.summaries} == {"1": 1.0, "2": 0.0}


def test_unreviewed_pixels_are_left_out(folders):
    truth = LEFT.copy()
    truth[:, 5:] = 255
    result, _ = run(*folders({"a": LEFT}, {"a": truth}))
    assert result.measures[0].counts.fp == 0
    assert result.summaries[0].dice == 1.0


def test_names_without_partner_are_listed(folders):
    result, _ = run(*folders({"a": LEFT, "x": LEFT}, {"a": LEFT, "y": LEFT, "z": LEFT}))
    assert (result.missing, result.extra) == (("y", "z"), ("x",))


def test_another_grid_is_a_problem_that_names_both_and_the_rest_goes_on(folders):
    small = square(slice(0, 4), slice(0, 4), size=16)
    result, items = run(*folders({"a": small, "b": LEFT}, {"a": LEFT, "b": LEFT}))
    assert [bool(item.problem) for item in items] == [True, False]
    assert "16 × 16" in items[0].problem and "20 × 20" in items[0].problem
    assert result.summaries[0].samples == 1


def test_another_voxel_size_is_another_grid(tmp_path):
    for folder, size in (("pred", 1.0), ("truth", 2.0)):
        (tmp_path / folder).mkdir()
        path = tmp_path / folder / "a.tif"
        write_labels(path, LEFT, axes="YX", spacing=(size, size), unit="mm")
    item, _ = evaluate(tmp_path / "pred", tmp_path / "truth")
    assert "1 × 1 mm" in item.problem and "2 × 2 mm" in item.problem


def test_independent_slices_count_one_by_one(folders):
    stack = np.stack([LEFT, EMPTY, RIGHT])
    result, _ = run(*folders({"a": stack}, {"a": stack}, axes="NYX"))
    (summary,) = result.summaries
    assert (summary.samples, summary.empty) == (3, 1)
    assert [m.name for m in result.measures] == ["a#0", "a#2"]


def test_a_volume_counts_as_one(folders):
    stack = np.stack([LEFT, EMPTY, RIGHT])
    result, _ = run(*folders({"a": stack}, {"a": stack}, axes="ZYX"))
    assert result.summaries[0].samples == 1


def test_binary_pictures_are_masks_of_label_one(tmp_path):
    (tmp_path / "truth").mkdir()
    (tmp_path / "pred").mkdir()
    Image.fromarray(RIGHT * 255).save(tmp_path / "truth" / "a.png")
    write_labels(tmp_path / "pred" / "a.tif", RIGHT, axes="YX")
    result, _ = run(tmp_path / "pred", tmp_path / "truth")
    assert [(s.category, s.dice) for s in result.summaries] == [("1", 1.0)]


def test_coco_categories_are_paired_by_name(tmp_path):
    lesion, tumour = Category(id=4, name="lesion"), Category(id=9, name="Tumour")
    one, two = LEFT, square(slice(12, 18), slice(2, 9))
    save_coco(labels_to_coco([("a.png", one + 2 * two)], [lesion, tumour]), tmp_path / "t.json")
    swapped = [Category(id=1, name="tumour"), Category(id=2, name="lesion")]
    save_coco(labels_to_coco([("a.jpg", 2 * one + two)], swapped), tmp_path / "p.json")
    result, _ = run(tmp_path / "p.json", tmp_path / "t.json")
    assert {s.category: s.dice for s in result.summaries} == {"lesion": 1.0, "Tumour": 1.0}
    assert result.notes == ()


def test_categories_without_a_common_name_are_compared_by_value_and_noted(tmp_path):
    for name, category in (("p", "tumour"), ("t", "glioma")):
        document = labels_to_coco([("a.png", LEFT)], [Category(id=1, name=category)])
        save_coco(document, tmp_path / f"{name}.json")
    result, _ = run(tmp_path / "p.json", tmp_path / "t.json")
    assert result.summaries[0].dice == 1.0
    assert len(result.notes) == 1


def test_labels_beyond_the_named_ones_are_not_passed_over(tmp_path):
    (tmp_path / "pred").mkdir()
    (tmp_path / "truth").mkdir()
    options = {"axes": "YX", "description": {"categories": ["tumour"]}}
    write_labels(tmp_path / "pred" / "a.tif", LEFT, **options)
    truth = LEFT + 4 * square(slice(12, 16), slice(0, 4))
    write_labels(tmp_path / "truth" / "a.tif", truth, axes="YX")
    result, _ = run(tmp_path / "pred", tmp_path / "truth")
    assert {s.category: s.dice for s in result.summaries} == {"tumour": 1.0, "4": 0.0}


def test_all_labels_can_be_taken_for_one(folders):
    parts = LEFT.copy()
    parts[:5] *= 3
    parts[:, 12:] = 255
    *_, result = evaluate(*folders({"a": LEFT}, {"a": parts}), foreground=True)
    assert [(s.category, s.dice) for s in result.summaries] == [("foreground", 1.0)]


def test_stored_categories_name_the_rows(folders, tmp_path):
    description = {"categories": [{"id": 3, "name": "tumour", "supercategory": "lesion"}]}
    result, _ = run(*folders({"a": LEFT}, {"a": LEFT}, description=description))
    assert result.summaries[0].category == "tumour"


@pytest.mark.parametrize("content", ["{}", "[1, 2", json.dumps({"images": [], "annotations": []})])
def test_json_that_is_not_coco_is_refused(tmp_path, content):
    path = tmp_path / "other.json"
    path.write_text(content)
    with pytest.raises(DataError, match=r"other\.json"):
        list(evaluate(path, path))


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="holds no mask files"):
        list(evaluate(tmp_path, tmp_path))


def test_two_masks_of_one_name_are_refused(folders):
    pred, truth = folders({"a": LEFT}, {"a": LEFT})
    Image.fromarray(LEFT).save(truth / "a.png")
    with pytest.raises(DataError, match="2 masks named a"):
        list(evaluate(pred, truth))


def test_nothing_in_common_is_refused(folders):
    with pytest.raises(DataError, match="same scans"):
        list(evaluate(*folders({"a": LEFT}, {"b": LEFT})))


def test_a_bad_pattern_is_refused(folders):
    with pytest.raises(ConfigError, match="regular expression"):
        list(evaluate(*folders({"a": LEFT}, {"a": LEFT}), "(a"))


def test_all_empty_gives_no_figures(folders):
    result, _ = run(*folders({"a": EMPTY}, {"a": EMPTY}))
    assert result.summaries == ()


def test_an_empty_category_has_no_mean(folders):
    description = {"categories": ["tumour"]}
    result, _ = run(*folders({"a": EMPTY}, {"a": EMPTY}, description=description))
    (summary,) = result.summaries
    assert summary.empty == 1
    assert math.isnan(summary.dice) and math.isnan(summary.hd95)
