"""Evaluation of one predicted mask against its true mask."""

from __future__ import annotations

import functools
import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.errors import ConfigError
from napari_unet_seg.evaluation.mask_pairs import MaskPair, to_foreground
from napari_unet_seg.evaluation.mask_sources import MaskSource, open_masks
from napari_unet_seg.evaluation.measure import Measure, measure
from napari_unet_seg.io.masks.report import MaskReport, report_of

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.evaluation.mask_pairs import CategoryPairs


class Groups:
    """Finds the group of a mask's name."""

    def __init__(self, pattern: str) -> None:
        try:
            self._pattern = re.compile(pattern)
        except re.error as error:
            raise ConfigError(
                f"The group {pattern!r} is no regular expression ({error}); correct it."
            ) from error

    def __call__(self, name: str) -> str:
        """Return the group of a name; empty if the pattern is not found."""
        match = self._pattern.search(name) if self._pattern.pattern else None
        return "" if match is None else str(match[1 if self._pattern.groups else 0] or "")


@dataclass(frozen=True, slots=True)
class PairResult:
    """Metrics of one pair of masks."""

    items: tuple[str, ...]
    """Names of the mask, or of the independent slices in the mask."""
    measures: tuple[Measure, ...]
    unit: str
    predicted: MaskReport
    """What a person should know of the predicted mask."""
    truth: MaskReport
    """What a person should know of the true mask."""
    place: str = ""
    """Sentence on masks that lie in different places, for the user."""


@dataclass(frozen=True, slots=True)
class PairEvaluator:
    """Measures a predicted mask, by its name, in this process or at a worker."""

    predicted: Path
    truth: Path
    pairs: CategoryPairs
    group_pattern: str
    foreground: bool
    threshold: float
    token: str = field(default_factory=secrets.token_hex)
    """Identifies the evaluation, so that a process lists both folders once per evaluation."""

    def __call__(self, name: str) -> PairResult:
        """Read both masks and measure them.

        Raises
        ------
        DataError
            If a mask cannot be read, or the grids differ.
        """
        ours = _masks(self.predicted, self.token, self.truth, self.threshold)
        theirs = _masks(self.truth, self.token)
        pair = MaskPair(name, ours.load(name), theirs.load(theirs.counterpart(ours, name) or name))
        group_of = Groups(self.group_pattern)
        items: list[str] = []
        measures: list[Measure] = []
        for item, found, true in pair.items():
            items.append(item)
            if self.foreground:
                found, true = to_foreground(found), to_foreground(true)
            measures += measure(item, group_of(item), found, true, self.pairs, pair.spacing)
        reports = _reports(pair)
        return PairResult(tuple(items), tuple(measures), pair.unit, *reports, pair.note)


def _reports(pair: MaskPair) -> tuple[MaskReport, MaskReport]:
    """Return the reports of both masks; only the truth decides on what is not reviewed."""
    ours, theirs = (bool(mask.meta.get("soft")) for mask in (pair.predicted, pair.truth))
    return MaskReport(int(ours)), report_of(np.asarray(pair.truth.data), soft=theirs)


@functools.lru_cache(maxsize=2)
def _masks(path: Path, _token: str, images: Path | None = None, threshold: float = 0) -> MaskSource:
    return open_masks(path, images, threshold)
