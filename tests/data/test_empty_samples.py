"""A network that takes prompts learns from samples with an object, and where the object ends."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_unet_seg.data.prompts.empty_samples import without_empty
from napari_unet_seg.data.samples import Sample, Split

EMPTY = np.zeros((8, 8), np.uint8)


def stack(volume: str, slices: str, split: Split) -> tuple[list[Sample], list[bool]]:
    """Slices of a volume, `x` with an object."""
    samples = [
        Sample(f"{volume}{n}", EMPTY, EMPTY, volume, split, place=(volume, n))
        for n in range(len(slices))
    ]
    return samples, [mark == "x" for mark in slices]


def used(samples: list[Sample], has_object: list[bool]) -> list[str]:
    after = without_empty(samples, has_object)
    assert [s.name for s in after] == [s.name for s in samples]
    kept = [(s, now) for s, now in zip(samples, after, strict=True) if now.split != "test"]
    assert all(s is now for s, now in kept)
    return [s.name for s, _ in kept]


def test_slices_beside_an_object_stay_to_be_trained_on() -> None:
    assert used(*stack("a", "...xx..x...", "train")) == ["a2", "a3", "a4", "a5", "a6", "a7", "a8"]


def test_held_out_slices_need_an_object() -> None:
    assert used(*stack("a", ".xx..", "valid")) == ["a1", "a2"]


def test_another_volume_and_another_split_are_not_beside() -> None:
    (first, marks), (last, others) = stack("a", "..x", "train"), stack("b", "x..", "train")
    assert used(first + last, marks + others) == ["a1", "a2", "b0", "b1"]
    for moved in (1, 2):
        one_held_out = [replace(s, split="valid") if s is first[moved] else s for s in first]
        assert used(one_held_out, marks) == ["a2"]


def test_samples_without_a_place_need_an_object() -> None:
    samples, marks = stack("a", ".x.", "train")
    assert used([replace(s, place=None) for s in samples], marks) == ["a1"]
