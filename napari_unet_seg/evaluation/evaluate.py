"""Evaluation of predicted masks against true masks, by group and category."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_unet_seg.config import RESULT_THRESHOLD
from napari_unet_seg.errors import DataError
from napari_unet_seg.evaluation.mask_pairs import FOREGROUND, pair_categories
from napari_unet_seg.evaluation.mask_sources import open_masks
from napari_unet_seg.evaluation.pair_evaluator import Groups, PairEvaluator, PairResult
from napari_unet_seg.evaluation.summary import Summary, summarise
from napari_unet_seg.events import Command, ItemDone
from napari_unet_seg.io.masks.report import MaskReport
from napari_unet_seg.process.cluster import map_locally

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from pathlib import Path

    from napari_unet_seg.evaluation.measure import Measure
    from napari_unet_seg.process.pending_items import Attempt


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The result of `evaluate`."""

    measures: tuple[Measure, ...]
    summaries: tuple[Summary, ...]
    unit: str
    """Unit of HD95: `mm`, `µm`, `pixel`, or several of them joined by `and`."""
    missing: tuple[str, ...]
    """Names of true masks without a predicted mask."""
    extra: tuple[str, ...]
    """Names of predicted masks without a true mask."""
    notes: tuple[str, ...]


def evaluate(
    predicted: Path,
    truth: Path,
    group_pattern: str = "",
    *,
    foreground: bool = False,
    threshold: float = RESULT_THRESHOLD,
    attempts: Callable[[PairEvaluator, Sequence[str]], Iterator[Attempt]] = map_locally,
) -> Generator[ItemDone | Evaluation, Command | None, None]:
    """Evaluate predicted masks against true masks of the same names, or of the same cases.

    Parameters
    ----------
    predicted, truth : Path
        Each a folder of masks or of cases, a data set or a COCO file. The predicted masks may be a
        list of results for the images of the truth's COCO file.
    group_pattern : str
        Regular expression on a mask's name; its first group, or else the whole match, names the
        group.
    foreground : bool
        Whether all labels count as one category.
    threshold : float
        Score that a result of a list needs.
    attempts : callable
        Measures the pairs: `map_locally`, or the `map` of a `Cluster`.

    Yields
    ------
    ItemDone or Evaluation
        One `ItemDone` per pair, with a problem if the pair cannot be compared, then the result.

    Raises
    ------
    DataError
        If a source holds no masks, or both sources have no name in common.
    ConfigError
        If the pattern is no regular expression.
    """
    group_of = Groups(group_pattern)
    ours, theirs = open_masks(predicted, truth, threshold), open_masks(truth)
    paired = {name: theirs.counterpart(ours, name) for name in ours.names}
    order = {name: number for number, name in enumerate(theirs.names)}
    names = sorted((n for n in ours.names if paired[n]), key=lambda n: order[paired[n] or n])
    if not names:
        raise DataError(
            f"No mask in {predicted} has the name of a mask in {truth}; give masks of the same "
            "scans."
        )
    pairs = FOREGROUND if foreground else pair_categories(ours.categories, theirs.categories)
    evaluate_pair = PairEvaluator(predicted, truth, pairs, group_pattern, foreground, threshold)
    done: list[PairResult] = []
    for index, (name, compared, problem) in enumerate(attempts(evaluate_pair, names), 1):
        if compared is not None:
            done.append(compared)
        if (yield ItemDone(index, len(names), name, problem)) is Command.STOP:
            return
    measures = [m for compared in done for m in compared.measures]
    items = [item for compared in done for item in compared.items]
    units = {compared.unit for compared in done}
    yield Evaluation(
        tuple(measures),
        summarise(measures, {item: group_of(item) for item in items}),
        " and ".join(sorted(units)) or "pixel",
        tuple(sorted(set(theirs.names) - {paired[name] for name in names})),
        tuple(sorted(set(ours.names) - set(names))),
        (*pairs.notes, *_notes(done), *(compared.place for compared in done if compared.place)),
    )


def _notes(done: Sequence[PairResult]) -> tuple[str, ...]:
    predicted = sum((compared.predicted for compared in done), MaskReport())
    truth = sum((compared.truth for compared in done), MaskReport())
    return (*predicted.notes("predicted "), *truth.notes("true "))
