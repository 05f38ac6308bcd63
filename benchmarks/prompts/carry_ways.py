"""Other ways to carry a mask through a volume, beside that of the package.

    python -m benchmarks.prompts.carry_ways DATA

On the tuning patients of `lgg-flair`: the mean Dice of a whole scan after one click on one slice,
and after three on three. It is carried as the package does it; with the click kept on the slices
that hold it; with a second pass, in which each slice is asked again with the shape between its
neighbours' masks, and both answers are averaged; with a walk back from the ends, averaged too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from benchmarks.common.lgg_data import patients
from benchmarks.common.options import given_to, parser_of
from benchmarks.common.records import write_record
from benchmarks.common.synthetic import brisc_and_lgg
from benchmarks.prompts.cases import Case
from benchmarks.prompts.measure import probable
from benchmarks.prompts.robot import chosen_slices, dice, one_click
from napari_unet_seg.correct.interpolation import between, signed_distance
from napari_unet_seg.data.prompts.marks import POSITIVE
from napari_unet_seg.data.prompts.neighbours import lasso_maps
from napari_unet_seg.inference.predictor import load_predictor
from napari_unet_seg.models import PROMPT_NETWORK
from napari_unet_seg.prompting.carrying import carry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.inference.predictor import Predictor

WAYS = ("as the package", "click kept", "second pass", "walk back")


class Carrying:
    """Clicks on slices of a volume, and what is made of them.

    Parameters
    ----------
    predictor : Predictor
        The prompt network.
    case : Case
        A volume and its truth, (Z, Y, X) each.
    count : int
        Slices that get a click.
    """

    def __init__(self, predictor: Predictor, case: Case, count: int) -> None:
        self._predictor, self._images = predictor, case.image
        rng = np.random.default_rng(0)
        self._clicks = {z: one_click(case.truth[z], rng) for z in chosen_slices(case.truth, count)}
        self._given = {z: self._asked(z, maps) >= 0.5 for z, maps in self._clicks.items()}

    def _asked(self, index: int, maps: Array) -> Array:
        return probable(self._predictor, self._images[index], maps)

    def carried(self, way: str) -> Array:
        """The mask of the volume."""
        answers = np.zeros(self._images.shape, np.float32)

        def beside(index: int, lasso: Array) -> Array:
            maps = lasso_maps(lasso)
            nearest = min(self._given, key=lambda z: abs(z - index))
            mark = self._clicks[nearest][POSITIVE] > 0
            if way == "click kept" and lasso[mark].all():
                maps[POSITIVE] = mark
            answers[index] = self._asked(index, maps)
            return answers[index]

        found = np.zeros(self._images.shape, bool)
        for index, mask in self._given.items():
            found[index] = mask
        for each in carry(beside, self._images.__getitem__, self._given, range(len(found))):
            found[each.index] = each.mask
        answers = np.where(found | (answers < 0.5), answers, 0)
        again = {"second pass": self._second, "walk back": self._back}.get(way)
        for index, lasso in again(found) if again else ():
            both = (answers[index] + self._asked(index, lasso_maps(lasso))) / 2
            found[index] = both >= 0.5
        return found

    def _second(self, found: Array) -> Iterator[tuple[int, Array]]:
        """Each slice with the shape between the masks beside it."""
        before = found.copy()
        for index in np.flatnonzero(before[1:-1].any((1, 2))) + 1:
            low, high = before[index - 1], before[index + 1]
            if index not in self._given and low.any() and high.any():
                yield index, between(signed_distance(low), signed_distance(high), 0.5)

    def _back(self, found: Array) -> Iterator[tuple[int, Array]]:
        """Each slice with the mask of the one farther from what was given."""
        ill = np.flatnonzero(found.any((1, 2)))
        for end, start in ((ill[0], min(self._given)), (ill[-1], max(self._given))):
            by = 1 if start > end else -1
            for index in range(end + by, start, by):
                if found[index - by].any():
                    yield index, found[index - by]


def main() -> None:
    parser = parser_of(__doc__, "DATA")
    with given_to(parser, brisc_and_lgg) as given:
        torch.set_num_threads(1)
        predictor = load_predictor(PROMPT_NETWORK, "auto", "auto")
        scans = list(patients(given.folder / "lgg-flair" / "tune"))
        found: dict[str, dict[str, float]] = {way: {} for way in WAYS}
        for count in (1, 3):
            cases = [Case(scan.data, truth > 0) for scan, truth in scans if truth.any()]
            asked = [Carrying(predictor, case, count) for case in cases]
            for way in WAYS:
                scores = [dice(a.carried(way), c.truth) for a, c in zip(asked, cases, strict=True)]
                found[way][str(count)] = round(float(np.mean(scores)), 3)
        record = {"name": "lgg-flair", "ways": found}
        write_record("carry_ways", "lgg-flair", record, keep=not given.smoke)


if __name__ == "__main__":
    main()
