"""Objects that prompts mark in a scan, found by the network of the package."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import dask.array as da
import numpy as np
import pytest
from ball import CENTRE, SHAPE, ball, volume
from small_gpu import pretend_gpu

from napari_unet_seg.config import PredictConfig
from napari_unet_seg.errors import CheckpointError, DataError
from napari_unet_seg.events import (
    Command,
    DeviceFallback,
    ScanRefined,
    SliceCarried,
    SliceRefined,
)
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.common.window import Windowed
from napari_unet_seg.io.prompts.entries import ObjectPrompts, Prompts
from napari_unet_seg.io.prompts.placing import SliceMarks
from napari_unet_seg.models import BUNDLED, PROMPT_NETWORK
from napari_unet_seg.prompting.carry import carry
from napari_unet_seg.prompting.drawing import drawn
from napari_unet_seg.prompting.prompted_slices import PromptedSlices
from napari_unet_seg.prompting.refine_scan import refine_scan

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array

CONFIG = PredictConfig(device="cpu", precision="float32")
SCAN, TRUTH = Scan(volume(), "ZYX"), ball()
MIDDLE = CENTRE[0]
BOX_AROUND = ((39, 27, MIDDLE), (65, 53, MIDDLE))
"""On the middle slice of the ball."""
BOXED = Prompts(objects=(ObjectPrompts(boxes=(BOX_AROUND,)),))


def dice(found: Array, truth: Array) -> float:
    return float(2 * (found & truth).sum() / (found.sum() + truth.sum()))


def result_of(*given: Any, **options: Any) -> ScanRefined:
    last = list(refine_scan(CONFIG, PROMPT_NETWORK, *given, **options))[-1]
    assert isinstance(last, ScanRefined)
    return last


def test_an_object_is_found_on_the_slices_that_it_is_marked_on() -> None:
    result = result_of(SCAN, BOXED)
    assert result.labels.shape == SHAPE and result.labels.dtype == np.uint8
    assert set(np.flatnonzero(result.labels.any((1, 2)))) == {MIDDLE}
    assert dice(result.labels[MIDDLE] > 0, TRUTH[MIDDLE]) > 0.6
    assert np.flatnonzero(np.isfinite(result.certainty)).tolist() == [MIDDLE]
    assert [category.name for category in result.categories] == ["object"]


def test_it_is_carried_to_its_ends() -> None:
    events = list(refine_scan(CONFIG, PROMPT_NETWORK, SCAN, BOXED, carry=True))
    assert isinstance(events[0], SliceRefined) and isinstance(events[1], SliceCarried)
    result = events[-1]
    assert isinstance(result, ScanRefined)
    assert dice(result.labels > 0, TRUTH) > 0.6
    beyond = np.flatnonzero(~TRUTH.any((1, 2)))
    assert not result.labels[beyond].any(), "it ends where the ball ends"


def test_a_lazy_scan_is_read_slice_by_slice_and_no_further_than_the_object() -> None:
    read: list[int] = []

    def looked_at(block: Array, block_info: Any = None) -> Array:
        if block.size and block_info:
            read.append(block_info[0]["chunk-location"][0])
        return block

    lazy = da.from_array(volume(), chunks=(1, *SHAPE[1:])).map_blocks(looked_at, dtype=np.uint8)
    result = result_of(Scan(lazy, "ZYX"), BOXED, carry=True)
    np.testing.assert_array_equal(result.labels, result_of(SCAN, BOXED, carry=True).labels)
    assert read.count(19) == 1, "for the intensities alone"
    assert max(map(read.count, read)) <= 3, "for the intensities, and on the way to each side"


def test_categories_are_numbered_as_they_come_and_the_later_object_is_on_top() -> None:
    small = ((45, 33, MIDDLE), (59, 47, MIDDLE))
    prompts = Prompts(
        objects=(
            ObjectPrompts(category="whole", boxes=(BOX_AROUND,)),
            ObjectPrompts(category="core", boxes=(small,)),
            ObjectPrompts(category="whole", boxes=(((39, 27, 8), (65, 53, 8)),)),
        )
    )
    result = result_of(SCAN, prompts)
    assert [category.name for category in result.categories] == ["whole", "core"]
    assert set(np.unique(result.labels[8])) == {0, 1}
    alone = result_of(SCAN, Prompts(objects=prompts.objects[1:2])).labels[MIDDLE] > 0
    assert (result.labels[MIDDLE][alone] == 2).all() and alone.any()


def test_volumes_of_a_series_are_carried_through_apart() -> None:
    film = Scan(np.stack([volume(), volume()]), "TZYX")
    corners = tuple(((*corner, 1)) for corner in BOX_AROUND)
    prompts = Prompts(objects=(ObjectPrompts(boxes=(corners,)),))
    labels = result_of(film, prompts, carry=True).labels
    assert not labels[0].any() and labels[1].any((1, 2)).sum() > 3


def test_a_picture_is_a_slice() -> None:
    prompts = Prompts(objects=(ObjectPrompts(boxes=(((39, 27), (65, 53)),)),))
    result = result_of(Scan(volume()[MIDDLE], "YX"), prompts)
    assert result.labels.shape == SHAPE[1:] and result.certainty.shape == ()
    assert dice(result.labels > 0, TRUTH[MIDDLE]) > 0.6
    with pytest.raises(DataError, match="has the axes YX and no volume to carry"):
        result_of(Scan(volume()[MIDDLE], "YX"), prompts, carry=True)


def test_it_stops_at_any_event() -> None:
    events = refine_scan(CONFIG, PROMPT_NETWORK, SCAN, BOXED, carry=True)
    next(events)
    next(events)
    with pytest.raises(StopIteration):
        events.send(Command.STOP)


def test_memory_that_runs_out_is_told(monkeypatch) -> None:
    plain = result_of(SCAN, BOXED)
    pretend_gpu(monkeypatch, PROMPT_NETWORK, "logits", 1)
    auto = CONFIG.replace(device="auto")
    fallback, _, result = refine_scan(auto, PROMPT_NETWORK, SCAN, BOXED)
    assert isinstance(fallback, DeviceFallback) and isinstance(result, ScanRefined)
    np.testing.assert_array_equal(result.labels, plain.labels)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prompts": True, "dimensions": 3}, "on whole volumes, .*; choose a model of slices"),
        ({}, "does not follow prompts; choose a model that"),
    ],
)
def test_other_models_are_refused(make_checkpoint, options: Any, message: str) -> None:
    with pytest.raises((DataError, CheckpointError), match=message):
        list(refine_scan(CONFIG, make_checkpoint(**options), SCAN, BOXED))


def test_masks_are_carried_within_walls() -> None:
    given = {MIDDLE: TRUTH[MIDDLE]}
    events = list(carry(CONFIG, PROMPT_NETWORK, SCAN, given, {8, 9, 11, 13}))
    assert all(isinstance(event, SliceCarried) for event in events)
    assert sorted(event.index for event in events) == [8, 9, 11]  # type: ignore[union-attr]
    assert [(event.done, event.count) for event in events] == [  # type: ignore[union-attr]
        (1, 4),
        (2, 4),
        (3, 4),
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [({0: (96, 90)}, r"a mask has \(96, 90\)"), ({0: (96, 96), 25: (96, 96)}, "of one volume")],
)
def test_masks_that_do_not_fit_are_refused(given: dict[int, Any], message: str) -> None:
    film = Scan(np.zeros((2, *SHAPE), np.uint8), "TZYX")
    masks = {index: np.ones(shape, bool) for index, shape in given.items()}
    with pytest.raises(DataError, match=message):
        list(carry(CONFIG, PROMPT_NETWORK, film, masks))


def test_an_automatic_model_carries_nothing() -> None:
    with pytest.raises(CheckpointError, match="does not follow prompts"):
        list(carry(CONFIG, BUNDLED, SCAN, {MIDDLE: TRUTH[MIDDLE]}))


def test_the_answers_on_several_sequences_are_averaged() -> None:
    inverted = Scan(255 - SCAN.data, "ZYX")
    maps = drawn(SliceMarks(boxes=(((27, 39), (53, 65)),)), SHAPE[1:], 256)

    def probable(scan: Scan, *others: Scan) -> Array:
        further = [Windowed(other) for other in others]
        slices = PromptedSlices(CONFIG, PROMPT_NETWORK, scan, others=further)
        return slices.probable(MIDDLE, maps)

    mean = (probable(SCAN) + probable(inverted)) / 2
    np.testing.assert_allclose(probable(SCAN, inverted), mean, atol=1e-4)
    both = result_of(SCAN, BOXED, carry=True, others=[inverted])
    assert dice(both.labels > 0, TRUTH) > 0.6
    assert not np.array_equal(both.labels, result_of(SCAN, BOXED, carry=True).labels)


def test_a_sequence_that_lies_elsewhere_is_refused() -> None:
    placed, moved = np.eye(4), np.eye(4)
    moved[0, 3] = 5
    here, there = (replace(SCAN, affine=affine) for affine in (placed, moved))
    with pytest.raises(DataError, match="give sequences of one grid"):
        result_of(here, BOXED, others=[there])
