"""The splits of a data set as folds of nnU-Net's cross-validation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE_NAME = "splits_final.json"
_FOLDS = 5
"""Folds that nnU-Net trains."""


def folds_of(sides: Mapping[str, str | None], groups: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the folds of a data set: its own split, or five by patient.

    nnU-Net draws cases at random, so that a patient of several cases would be on both sides.

    Parameters
    ----------
    sides : mapping of str to str
        Split of each case that nnU-Net trains on.
    groups : mapping of str to str
        Patient of each of these cases.

    Returns
    -------
    list of dict
        Names of the cases `train` and `val` of each fold; empty if there is one patient only.
    """
    if "valid" in sides.values():
        return [_fold(sides, {name for name, side in sides.items() if side == "valid"})]
    patients = sorted({groups[name] for name in sides})
    if len(patients) < 2:
        return []
    order = np.random.default_rng(0).permutation(len(patients))
    count = min(_FOLDS, len(patients))
    held_out = [{patients[i] for i in order[number::count]} for number in range(count)]
    return [_fold(sides, {name for name in sides if groups[name] in held}) for held in held_out]


def _fold(names: Mapping[str, Any], valid: set[str]) -> dict[str, Any]:
    return {"train": [n for n in names if n not in valid], "val": [n for n in names if n in valid]}
