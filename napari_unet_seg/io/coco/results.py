"""Lists of results in COCO's format: the predictions of a model for the images of a data set."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.coco.document.parse import parse_file
from napari_unet_seg.io.common.ids import identity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Id
    from napari_unet_seg.io.coco.document.parse import ParsedFile
    from napari_unet_seg.io.coco.read import Annotation, CocoDataset, Problem

ONLY_BOX = "it has only a box"
_NAMED = 5
"""Number of unknown ids that a message lists."""


@dataclass(frozen=True, eq=False)
class Results:
    """The results of a model for the images of a data set."""

    path: Path
    dataset: CocoDataset
    """The data set whose images were predicted."""
    by_image: dict[Id, list[Annotation]]
    """Usable results by image, those of a higher score later, so that they are drawn on top."""
    scores: Array
    """Scores of the usable results with an outline, in increasing order."""
    box_scores: Array
    """Scores of those that have only a box, likewise."""
    problems: tuple[Problem, ...]
    """Results that cannot be used, and why: a line for each kind of problem."""

    def count(self, threshold: float, *, boxes: bool) -> int:
        """Return the number of results that `above` gives."""
        kinds = (self.scores, self.box_scores) if boxes else (self.scores,)
        return sum(len(scores) - int(np.searchsorted(scores, threshold)) for scores in kinds)

    def numbers(self, images: Iterable[Id]) -> dict[Id, int]:
        """Return a number from 1 for each result of some images, by the result's id."""
        found = (each["id"] for image in images for each in self.by_image[image])
        return {identity: number for number, identity in enumerate(found, 1)}

    def above(self, threshold: float, *, boxes: bool) -> CocoDataset:
        """Return the data set with results as its annotations.

        Parameters
        ----------
        threshold : float
            Score that a result needs.
        boxes : bool
            Whether to take results that have only a box.
        """
        found = {
            image: [r for r in results if score_of(r) >= threshold and (boxes or _has_outline(r))]
            for image, results in self.by_image.items()
        }
        bare = 0 if boxes else len(self.box_scores)
        left_out = (_problem(ONLY_BOX, Counter({"": bare})),) if bare else ()
        return replace(self.dataset, annotations=found, problems=self.problems + left_out)


def score_of(result: Annotation) -> float:
    """Return the score of a result; 1 if it has none."""
    return float(result.get("score", 1.0))


def read_results(path: Path | str, dataset: CocoDataset) -> Results:
    """Read a list of results on its data set.

    Parameters
    ----------
    path : Path
        JSON: a list of dicts with `image_id`, `category_id`, `score`, and a `segmentation`
        (polygons or RLE) or a `bbox`.
    dataset : CocoDataset
        The data set whose images were predicted; its annotations are not used.

    Raises
    ------
    DataError
        If the file cannot be read, is no list of results, or no result is of an image and a
        category of the data set.
    """
    return results_of(parse_file(Path(path)), dataset)


def results_of(file: ParsedFile, dataset: CocoDataset) -> Results:
    """Judge and group the entries of a parsed list of results; see `read_results`."""
    path, entries = file.path, file.check("results")
    unknown: dict[str, Counter[str]] = defaultdict(Counter)
    found: dict[Id, list[Annotation]] = {image.id: [] for image in dataset.images}
    for place, entry in enumerate(entries, 1):
        image, wrong = _judge(entry, dataset)
        if wrong is None and image is not None:
            found[image].append({"id": place, **entry})
        elif wrong is not None:
            unknown[wrong[0]][wrong[1]] += 1
    problems = tuple(_problem(why, ids) for why, ids in unknown.items())
    used = [each for results in found.values() for each in results]
    if not used:
        why = "; ".join(f"{what}: {reason}" for what, reason in problems)
        raise DataError(f"No result of {path} fits {dataset.path} ({why}); choose its data set.")
    for results in found.values():
        results.sort(key=score_of)
    outlined, bare = (
        np.sort([score_of(each) for each in used if _has_outline(each) is kind])
        for kind in (True, False)
    )
    return Results(path, dataset, found, outlined, bare, problems)


def _has_outline(result: Annotation) -> bool:
    return bool(result.get("segmentation"))


def known_images(entries: Collection[Any], dataset: CocoDataset) -> int:
    """Return of how many results a data set has the image."""
    ids = (identity(entry.get("image_id")) for entry in entries if isinstance(entry, dict))
    return sum(image in dataset.by_id for image in ids)


def _judge(entry: Any, dataset: CocoDataset) -> tuple[Id | None, tuple[str, str] | None]:
    """Return the image of an entry, or what is wrong with it and the id concerned."""
    if not isinstance(entry, dict):
        return None, ("no results", "")
    image, category = identity(entry.get("image_id")), identity(entry.get("category_id"))
    if image is None or image not in dataset.by_id:
        return None, ("of images that the data set does not have", str(entry.get("image_id")))
    if category not in dataset.values:
        return None, ("of categories that it does not have", str(entry.get("category_id")))
    score = entry.get("score", 1.0)
    if isinstance(score, bool) or not isinstance(score, int | float) or not math.isfinite(score):
        return None, ("without a usable score", "")
    return image, None


def _problem(why: str, ids: Counter[str]) -> Problem:
    number = ids.total()
    named = [identity for identity in ids if identity][:_NAMED]
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    listed = f": {', '.join(named)}{more}" if named else ""
    return f"{number} result{'s' if number > 1 else ''}", f"{why}{listed}"
