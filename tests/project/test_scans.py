"""The scans that the benchmarks measure on."""

from __future__ import annotations

import importlib
from collections import Counter
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Drawn slices in the layout of `lgg-flair`, and a patient of BraTS."""
    monkeypatch.syspath_prepend(ROOT)
    importlib.import_module("benchmarks.common.synthetic").brisc_and_lgg(tmp_path)
    patient = tmp_path / "nifti" / "brats_2013_pat0005_1"
    patient.mkdir(parents=True)
    volume = np.random.default_rng(0).normal(size=(8, 9, 3)).astype(np.float32)
    for name in ("Flair_subtrMeanDivStd", "T1c_subtrMeanDivStd"):
        nibabel.save(nibabel.Nifti1Image(volume, np.eye(4)), patient / f"{name}.nii.gz")
    labels = nibabel.Nifti1Image((2 * (volume > 0)).astype(np.uint8), np.eye(4))
    nibabel.save(labels, patient / "OTMultiClass.nii.gz")
    return tmp_path


def test_each_slice_is_read_once(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: Counter[Path] = Counter()
    open_image = Image.open

    def opened(path: Path, *rest: Any) -> Image.Image:
        read[Path(path)] += 1
        return open_image(path, *rest)

    monkeypatch.setattr(Image, "open", opened)
    scans = importlib.import_module("benchmarks.accuracy.volumes").scans_of(data)
    assert read == Counter((data / "lgg-flair" / "test").rglob("*.png"))
    assert [len(scans[name]) for name in scans] == [2, 1, 1]
    in_windows = importlib.import_module("benchmarks.prompts.cases").volumes(data)
    assert list(scans) == list(in_windows)
    for name in scans:
        for (image, truth), (other, same) in zip(scans[name], in_windows[name], strict=True):
            np.testing.assert_array_equal(truth, same)
            assert image.shape == truth.shape
            if name != "LGG FLAIR":
                np.testing.assert_array_equal(image, other)
