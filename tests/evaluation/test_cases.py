"""Evaluation of folders of cases."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import nibabel
import numpy as np
import pytest
from PIL import Image

from napari_unet_seg.evaluation.evaluate import Evaluation, evaluate
from napari_unet_seg.io.images.tiff import write_labels

if TYPE_CHECKING:
    from pathlib import Path

TRUTH = np.zeros((6, 5, 4), np.uint8)
TRUTH[1:4, 1:4] = 1
HALF = TRUTH.copy()
HALF[3:] = 0  # two of three rows: Dice 0.8


def write(path: Path, voxels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), path)


def result(predicted: Path, truth: Path) -> Evaluation:
    *items, last = evaluate(predicted, truth)
    assert isinstance(last, Evaluation)
    assert not any(item.problem for item in items)
    return last


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    """Two patients as of BraTS, one of them without a mask."""
    for name in ("P1", "P2"):
        for kind in ("flair", "t1ce"):
            write(tmp_path / f"truth/{name}/{name}_{kind}.nii.gz", TRUTH)
    write(tmp_path / "truth/P1/P1_seg.nii.gz", TRUTH)
    return tmp_path / "truth"


@pytest.mark.parametrize(
    "names",
    [
        ["P1.nii.gz"],  # of the case
        ["P1_flair.nii.gz"],  # of a scan, as `predict` names its masks
        ["P1_flair.nii.gz", "P1_t1ce.nii.gz"],
        ["P1_seg.nii.gz"],  # of the true mask
        ["P1/prediction_seg.nii.gz"],  # in the folder of the patient
    ],
)
def test_masks_of_cases_by_any_of_their_names(
    tmp_path: Path, truth: Path, names: list[str]
) -> None:
    for name in names:
        write(tmp_path / "pred" / name, HALF)

    found = result(tmp_path / "pred", truth)
    assert [m.counts.dice for m in found.measures] == [pytest.approx(0.8)] * len(names)
    assert (found.missing, found.extra) == ((), ())


def test_what_has_no_counterpart_is_named(tmp_path: Path, truth: Path) -> None:
    write(truth / "P2/P2_seg.nii.gz", TRUTH)
    for name in ("P1", "P3"):
        write(tmp_path / f"pred/{name}.nii.gz", HALF)

    found = result(tmp_path / "pred", truth)
    assert (found.missing, found.extra) == (("P2",), ("P3",))


def test_slices_with_their_masks(tmp_path: Path) -> None:
    volume = np.transpose(TRUTH)
    (tmp_path / "truth/A").mkdir(parents=True)
    for number, plane in enumerate(volume, 1):
        Image.fromarray(plane * 99).save(tmp_path / f"truth/A/A_{number}.png")
        Image.fromarray(plane * 255).save(tmp_path / f"truth/A/A_{number}_mask.png")
    (tmp_path / "pred").mkdir()
    write_labels(tmp_path / "pred/A.tif", np.transpose(HALF), axes="ZYX")

    [measure] = result(tmp_path / "pred", tmp_path / "truth").measures
    assert measure.counts.dice == pytest.approx(0.8)


def test_nnunet_names_the_categories(tmp_path: Path) -> None:
    write(tmp_path / "truth/imagesTr/c1_0000.nii.gz", TRUTH)
    write(tmp_path / "truth/labelsTr/c1.nii.gz", TRUTH)
    described = {"channel_names": {"0": "FLAIR"}, "labels": {"background": 0, "oedema": 1}}
    (tmp_path / "truth/dataset.json").write_text(json.dumps(described), encoding="utf-8")
    write(tmp_path / "pred/c1.nii.gz", HALF)

    [measure] = result(tmp_path / "pred", tmp_path / "truth").measures
    assert (measure.category, measure.counts.dice) == ("oedema", pytest.approx(0.8))
