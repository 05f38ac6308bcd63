"""Near-duplicates in eight orientations."""

from __future__ import annotations

import numpy as np
import pytest

from napari_unet_seg.data.twins import join_groups, thumbnails, twin_groups, twin_note


@pytest.fixture
def slices() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (20, 32, 32)).astype(np.uint8)


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("mirror", [False, True])
def test_a_turned_copy_joins_its_original(slices, turns, mirror):
    copy = np.rot90(slices[3][:, ::-1] if mirror else slices[3], turns)
    noisy = np.clip(copy + np.random.default_rng(1).normal(0, 5, copy.shape), 0, 255)
    groups = twin_groups(np.concatenate([slices, noisy[None].astype(np.uint8)]))
    assert groups[-1] == groups[3]
    assert len(set(groups)) == 20


def test_blank_slices_are_no_twins(slices):
    blank = np.full((500, 32, 32), 7, np.uint8)
    groups = twin_groups(np.concatenate([blank, slices, slices[:1]]))
    assert len(set(groups.tolist())) == 520
    assert groups[500] == groups[-1]
    assert len(set(twin_groups(blank).tolist())) == 500


def test_strangers_stay_apart(slices):
    assert len(set(twin_groups(slices))) == 20


def test_twins_of_twins_share_a_group(slices):
    a, b = slices[0].astype(float), slices[1].astype(float)
    chain = np.stack([a, 0.9 * a + 0.1 * b, 0.82 * a + 0.18 * b, b])
    first_to_third = np.corrcoef(chain[0].ravel(), chain[2].ravel())[0, 1]
    assert first_to_third < 0.98
    assert len(set(twin_groups(chain))) == 2


def test_thumbnails_average_areas_and_channels():
    image = np.zeros((1, 2, 70, 70), np.uint8)
    image[0, 0, :2, :2] = 40
    small = thumbnails(image)
    assert small.shape == (1, 35, 35)
    assert small[0, 0, 0] == 20 and small.sum() == 20


def test_groups_with_twins_are_joined():
    #           a-b by twins 0, b-c by twins 1, d alone
    groups = ["a", "a", "b", "b", "c", "d"]
    joined = join_groups(groups, [0, 5, 0, 1, 1, 9])
    assert joined[:5] == ["a"] * 5 and joined[5] == "d"


def test_without_twins_groups_stay():
    groups = ["x", "y", "x"]
    assert join_groups(groups, [0, 1, 2]) == groups


def test_the_note_counts_twins_of_other_scans_and_their_sides():
    groups, twins = list("aabbcdef"), [0, 0, 1, 2, 2, 3, 3, 4]
    held_out = [False, False, False, False, False, True, True, True]
    note = twin_note(groups, twins, held_out)
    assert note.startswith("4 slices are near-copies of others")
    assert note.endswith("in 2 groups: 1 in the training split, 1 held out.")


def test_the_note_tells_of_a_leak():
    note = twin_note(list("abcd"), [0, 0, 1, 2], [False, True, True, False])
    assert note.endswith("1 in both, which makes the metrics of 1 held-out slices too good.")


def test_neighbours_within_a_scan_are_no_twins():
    assert twin_note(["a", "a"], [0, 0], [False, False]) == ""
