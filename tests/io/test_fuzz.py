"""A few hundred damaged files of every format; `benchmarks/fuzz.py` reads tens of thousands."""

from __future__ import annotations

import shutil
import warnings
from typing import TYPE_CHECKING

import pytest
from fuzzing import TARGETS, damage

from napari_unet_seg.errors import SegmentationError

if TYPE_CHECKING:
    from pathlib import Path

CASES = 150


@pytest.mark.parametrize("name", TARGETS)
def test_a_damaged_file_is_read_or_refused_in_a_sentence(name: str, tmp_path: Path) -> None:
    (tmp_path / "valid").mkdir()
    TARGETS[name].make(tmp_path / "valid")
    refused = 0
    for seed in range(CASES):
        work = tmp_path / "work"
        shutil.copytree(tmp_path / "valid", work)
        damaged = damage(work, seed)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                TARGETS[name].read(work, damaged)
        except SegmentationError as error:
            refused += 1
            assert "\n" not in str(error), seed
            assert len(str(error)) < 1000, seed
        shutil.rmtree(work)
    assert 0 < refused < CASES, "it is no test where all are refused, or none"
