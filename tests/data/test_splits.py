"""Splits by group."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from napari_unet_seg.data.samples import Sample
from napari_unet_seg.data.splits import assign_splits, draw_groups
from napari_unet_seg.errors import ConfigError


def make(names, groups=None, sides=None):
    blank = np.zeros((4, 4), np.uint8)
    groups = groups or names
    sides = sides or [None] * len(names)
    return [Sample(n, blank, blank, g, s) for n, g, s in zip(names, groups, sides, strict=True)]


@pytest.mark.parametrize("seed", range(5))
def test_no_group_stands_on_both_sides(seed):
    groups = [f"patient-{i % 7}" for i in range(50)]
    split = assign_splits(make([f"s{i}" for i in range(50)], groups), 0.3, seed)
    sides = {side: {s.group for s in split if s.split == side} for side in ("train", "valid")}
    assert sides["train"] and sides["valid"]
    assert not sides["train"] & sides["valid"]


@pytest.mark.parametrize(
    ("groups", "fraction", "drawn"),
    [(["a"], 0.5, 0), (["a", "b"], 0.01, 1), (["a", "b"], 0.99, 1), (["a", "b"], 0, 0)],
)
def test_at_least_one_group_on_each_side_where_there_are_two(groups, fraction, drawn):
    assert len(draw_groups(groups, fraction, 0)) == drawn


def test_the_fraction_is_reached():
    drawn = draw_groups([str(i) for i in range(100)], 0.2, 3)
    assert len(drawn) == 20


def test_the_same_seed_draws_the_same():
    groups = [str(i) for i in range(30)]
    assert draw_groups(groups, 0.3, 1) == draw_groups(groups, 0.3, 1) != draw_groups(groups, 0.3, 2)


def test_sides_of_the_data_set_are_kept():
    samples = make(["a", "b", "c", "d"], sides=["train", "valid", "test", None])
    split = assign_splits(samples, 0.9, 0)
    assert [s.split for s in split] == ["train", "valid", "test", "train"]


def test_test_samples_are_never_drawn():
    samples = make(["a", "b", "c", "d"], sides=["test", None, None, None])
    assert [s.split for s in assign_splits(samples, 0.9, 0)].count("test") == 1


def test_the_patient_is_read_from_the_name():
    samples = make([f"P{i // 5}_slice{i}" for i in range(20)])
    split = assign_splits(samples, 0.25, 0, r"^(P\d+)_")
    held_out = [s.name.split("_")[0] for s in split if s.split == "valid"]
    assert len(held_out) == 5
    assert len(set(held_out)) == 1


@pytest.mark.parametrize("pattern", ["(", "no group"])
def test_a_bad_pattern_is_refused(pattern):
    with pytest.raises(ConfigError, match="group_pattern"):
        assign_splits(make(["a", "b"]), 0.5, 0, pattern)


def test_twins_stay_on_one_side_across_groups():
    samples = make([f"s{i}" for i in range(40)])
    twins = [i // 4 for i in range(40)]
    sides = [s.split for s in assign_splits(samples, 0.3, 0, twins=twins)]
    assert all(len(set(sides[i : i + 4])) == 1 for i in range(0, 40, 4))
    assert 8 <= sides.count("valid") <= 16


def test_the_patient_may_stand_in_the_path():
    samples = [
        dataclasses.replace(s, image=Path(f"/data/patient-{n // 5}/{s.name}.png"))
        for n, s in enumerate(make([f"s{i}" for i in range(20)]))
    ]
    sides = [s.split for s in assign_splits(samples, 0.25, 0, r"/patient-(\d+)/")]
    assert all(len(set(sides[i : i + 5])) == 1 for i in range(0, 20, 5))
    assert sides.count("valid") == 5
