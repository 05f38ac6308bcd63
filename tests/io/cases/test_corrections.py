"""Tests of the user's corrections of a plan, and of the place that keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from napari_unet_seg.io.cases.corrections import Correction, correct, entries_of
from napari_unet_seg.io.cases.plan import plan_folder, recognise_folder
from napari_unet_seg.io.cases.remembered import (
    FOLDER_VARIABLE,
    recall_corrections,
    remember_corrections,
)

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.io.cases.case import Plan


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "scans"
    for name in ("A/x.nii", "A/y.nii", "A/y_mask.nii", *(f"B/B_{n}.png" for n in range(4))):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def told(plan: Plan) -> dict[str, tuple[str, str]]:
    """What each file is taken for, and the name of its case."""
    return {entry.key: (entry.kind, entry.case) for entry in entries_of(plan)}


def test_a_plan_without_corrections(root: Path) -> None:
    plan = recognise_folder(root)
    assert told(plan) == {
        "A/x.nii": ("scan", "x"),
        "A/y.nii": ("scan", "y"),
        "A/y_mask.nii": ("mask", "y"),
        "B/B_0.png": ("scan", "B"),
    }
    assert correct(plan, {}) is plan


@pytest.mark.parametrize(
    ("corrections", "changed"),
    [
        ({"A/x.nii": Correction("mask", case="y")}, {"A/x.nii": ("mask", "y")}),
        ({"A/y_mask.nii": Correction("scan")}, {"A/y_mask.nii": ("scan", "y")}),
        ({"A/x.nii": Correction("left out")}, {"A/x.nii": ("left out", "")}),
        ({"A/x.nii": Correction(case="new")}, {"A/x.nii": ("scan", "new")}),
        (
            {"A/y.nii": Correction("left out")},  # whose mask is left without a scan
            {"A/y.nii": ("left out", ""), "A/y_mask.nii": ("left out", "")},
        ),
        ({"gone.nii": Correction("mask")}, {}),
    ],
)
def test_corrections(
    root: Path, corrections: dict[str, Correction], changed: dict[str, tuple[str, str]]
) -> None:
    plan = recognise_folder(root)

    assert told(correct(plan, corrections)) == told(plan) | changed


def test_sequences_are_renamed_and_never_lost(root: Path) -> None:
    plan = recognise_folder(root)
    both = {
        "A/x.nii": Correction(name="T1", case="A"),
        "A/y.nii": Correction(name="T1", case="A"),
    }

    by_name = {case.name: case for case in correct(plan, both).cases}
    assert list(by_name["A"].sequences) == ["T1", "T1 2"]


def test_a_stack_of_masks(root: Path) -> None:
    [entry] = [e for e in entries_of(recognise_folder(root)) if e.case == "B"]
    plan = correct(recognise_folder(root), {entry.key: Correction("mask", "lesion", "x")})

    mask = next(case for case in plan.cases if case.name == "x").masks["lesion"]
    assert mask.slices == (0, 1, 2, 3)


def test_corrections_are_remembered_for_their_folder(root: Path) -> None:
    remember_corrections(root, {"A/x.nii": Correction("left out")})

    assert told(plan_folder(root))["A/x.nii"] == ("left out", "")
    assert not recall_corrections(root / "A")
    assert sorted(path.name for path in root.iterdir()) == ["A", "B"]  # nothing was written here
    remember_corrections(root, {})
    assert told(plan_folder(root)) == told(recognise_folder(root))


@pytest.mark.parametrize("content", ["{", "[]", '{"corrections": {"A/x.nii": 3}}'])
def test_damaged_corrections_are_none(
    root: Path, tmp_path: Path, content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "plans"))
    remember_corrections(root, {"A/x.nii": Correction("left out")})
    [file] = (tmp_path / "plans").glob("*.json")
    file.write_text(content, encoding="utf-8")

    assert recall_corrections(root) == {}
