"""The network of Point in its child process: the packaged one, and one that is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_unet_seg._napari.tools.prompt_network import PromptNetwork
from napari_unet_seg.config import PredictConfig
from napari_unet_seg.engine import refine
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.models import PROMPT_NETWORK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.common.places import Part

SHAPE = (40, 64, 80)
Z, Y, X = np.indices(SHAPE)
BALL = (Z - 20) ** 2 + (Y - 30) ** 2 + (X - 40) ** 2 <= 10**2
NOISE = np.random.default_rng(0).normal(0, 3, SHAPE)
SCAN = Scan((60 + 100 * BALL + NOISE).astype(np.float32), "ZYX")


@pytest.fixture
def network() -> Iterator[PromptNetwork]:
    network = PromptNetwork()
    network.warm_up()
    yield network
    network.close()


def box(plane: Array) -> Array:
    """Maps of a box around a mask."""
    maps = np.zeros((3, *plane.shape), bool)
    rows, columns = (np.flatnonzero(plane.any(axis)) for axis in (1, 0))
    maps[2, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
    return maps


@pytest.mark.parametrize("part", [(20,), (slice(None), 30)], ids=["slice", "coronal"])
def test_it_finds_what_a_box_marks_on_any_plane(network: PromptNetwork, part: Part) -> None:
    truth = BALL[part]
    found = network.find(PROMPT_NETWORK, SCAN, part, box(truth), np.zeros_like(truth))
    assert found.shape == truth.shape
    assert 2 * (found & truth).sum() / (found.sum() + truth.sum()) > 0.85


def test_a_slice_by_itself_is_seen_as_by_the_engine(network: PromptNetwork) -> None:
    image, maps = Scan(SCAN.data[20] ** 2, "YX"), box(BALL[20])
    *_, expected = refine(PredictConfig(), PROMPT_NETWORK, image, maps)
    for _ in range(2):  # the second time with the window of the first
        found = network.find(PROMPT_NETWORK, image, (), maps, np.zeros_like(BALL[20]))
        np.testing.assert_array_equal(found[expected.window], expected.mask)


def test_the_network_that_is_asked_answers_although_another_is_loaded(
    network: PromptNetwork, make_checkpoint: Callable[..., Path]
) -> None:
    chosen = make_checkpoint(prompts=True)
    image, maps = Scan(SCAN.data[20] ** 2, "YX"), box(BALL[20])
    *_, expected = refine(PredictConfig(), chosen, image, maps)
    found = network.find(chosen, image, (), maps, np.zeros_like(BALL[20]))
    np.testing.assert_array_equal(found[expected.window], expected.mask)
    assert (expected.mask != BALL[20][expected.window]).mean() > 0.1, "it is not trained"


def test_a_closed_network_finds_nothing(network: PromptNetwork) -> None:
    network.close()
    assert not network.find(PROMPT_NETWORK, SCAN, (20,), box(BALL[20]), ~BALL[20]).any()
