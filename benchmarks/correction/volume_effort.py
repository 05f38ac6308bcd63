"""A simulated annotator of lesions in volumes, in three ways.

The work ends at a Dice of the volume of `GOOD`. Next comes always the slice with most wrong pixels
of those below that Dice, at the cost of a slice change. Since every slice that was worked on has
that Dice at least, the work is always finished.

- `by_brush_alone`: each slice by brush.
- `by_interpolation`: the first, the largest and the last slice of the lesion by brush to a Dice of
  `KEY`, interpolation between them; then the worst slice, interpolation again, and so on.
- `by_carrying`: the worst slice by Point, and by brush where no prompt brings more; Carry from
  there to the next slices that were worked on; and so on. A Carry that makes the volume worse is
  undone, and after `FAILED` of them in a row the rest is done slice by slice. Where Carry went
  beyond the lesion, the slice beside it is emptied and accepted, and Carry pressed on it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.correction.annotator import CLICK, MARGIN, SLICE, by_brush, effort
from benchmarks.correction.pointing import by_point
from benchmarks.correction.strokes import dice
from napari_unet_seg.config import PredictConfig
from napari_unet_seg.correct.interpolation import interpolate
from napari_unet_seg.correct.prompts import merge
from napari_unet_seg.engine import predict
from napari_unet_seg.events import SliceCarried
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.models import BUNDLED, PROMPT_NETWORK
from napari_unet_seg.prompting.carry import carried
from napari_unet_seg.prompting.carrying import beyond
from napari_unet_seg.prompting.prompted_slices import PromptedSlices

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.correction.annotator import Choices
    from benchmarks.prompts.cases import Case
    from napari_unet_seg.arrays import Array

WAYS = (
    "brush",
    "interpolation",
    "Point and Carry",
    "prediction, brush",
    "prediction, Point and Carry",
)
GOOD = 0.85
KEY = 0.9
LEAST = 10
"""Pixels of the first and the last slice that interpolation starts from."""
FAILED = 2
LOOK = 0.035
"""Seconds that Carry takes for a slice."""
_WINDOW = (0.0, 255.0)


@dataclass
class Desk:
    """A volume in work."""

    truth: Array
    mask: Array
    seconds: float = 0.0
    used: Counter[str] = field(default_factory=Counter)
    finished: set[int] = field(default_factory=set)
    """Slices that were worked on."""
    carried: set[int] = field(default_factory=set)
    """Slices that Carry reached."""
    first_carry: float | None = None
    """Dice after the first Carry that was kept."""

    @property
    def dice(self) -> float:
        """Dice of the volume."""
        return dice(self.mask, self.truth)

    def worst(self) -> int:
        """The slice with most wrong pixels of those that are not good yet."""
        wrong = (self.mask ^ self.truth).sum((1, 2))
        for index in np.argsort(-wrong, kind="stable"):
            if index not in self.finished and dice(self.mask[index], self.truth[index]) < GOOD:
                return int(index)
        return int(wrong.argmax())

    def work(self, index: int, choices: Choices, good: float) -> None:
        """Go to a slice, and bring it to a Dice."""
        done = effort(self.mask[index], self.truth[index], choices, good, hurried=True)
        self.mask[index] = done.mask
        self.seconds += SLICE + done.seconds
        self.used.update(done.used)
        self.finished.add(index)

    def press(self, name: str, waiting: float = 0.0) -> None:
        """Press a button or key."""
        self.used[name] += 1
        self.seconds += CLICK + waiting


def volume_effort(case: Case, ways: Sequence[str] = WAYS) -> dict[str, Any]:
    """What some ways cost on a volume."""
    scan = Scan(case.image, "ZYX")
    slices = PromptedSlices(PredictConfig(), PROMPT_NETWORK, scan, _WINDOW)
    *_, result = predict(PredictConfig(), BUNDLED, scan)
    nothing, found = np.zeros_like(case.truth), np.asarray(result.labels) > 0
    pointed = partial(by_carrying, slices=slices)
    starts = [nothing] * 3 + [found] * 2
    works = by_brush_alone, by_interpolation, pointed, by_brush_alone, pointed
    figures: dict[str, Any] = {"slices": int(case.truth.any((1, 2)).sum())}
    figures["predicted"] = round(dice(found, case.truth), 3)
    for way, start, work in zip(WAYS, starts, works, strict=True):
        if way in ways:
            figures[way] = _figures(case, start, work)
    return figures


def _figures(case: Case, mask: Array, work: Callable[[Desk], None]) -> dict[str, Any]:
    desk = Desk(case.truth, mask.copy())
    work(desk)
    return {
        "seconds": round(desk.seconds, 1),
        "uses": desk.used.total(),
        "visited": len(desk.finished),
        "first_carry": desk.first_carry,
        "dice": round(desk.dice, 3),
        "tools": dict(desk.used),
    }


def by_brush_alone(desk: Desk) -> None:
    while desk.dice < GOOD:
        index = desk.worst()
        desk.work(index, by_brush(desk.truth[index], MARGIN), GOOD)


def by_interpolation(desk: Desk) -> None:
    sizes = desk.truth.sum((1, 2))
    ill = np.flatnonzero(sizes >= min(LEAST, sizes.max()))
    nexts = [int(n) for n in dict.fromkeys((sizes.argmax(), ill[0], ill[-1]))]
    while desk.dice < GOOD:
        for index in nexts:
            desk.work(index, by_brush(desk.truth[index], MARGIN), KEY)
        desk.mask = interpolate(desk.mask, desk.finished)
        desk.press("interpolate")
        nexts = [desk.worst()]


def by_carrying(desk: Desk, slices: PromptedSlices) -> None:
    failed = 0
    while desk.dice < GOOD:
        index = _end_near(desk, desk.worst())
        find = partial(_found, slices, index)
        desk.work(index, by_point(find, desk.truth[index]), GOOD)
        if not desk.mask[index].any():
            _end(desk, index)
        elif failed < FAILED:
            after, reached = _carried(desk, slices, index)
            desk.press("carry", LOOK * len(reached))
            if dice(after, desk.truth) >= desk.dice:
                desk.mask, failed = after, 0
                desk.first_carry = desk.first_carry or round(desk.dice, 3)
                desk.carried |= reached
            else:
                desk.press("undo")
                failed += 1


def _end_near(desk: Desk, index: int) -> int:
    """The slice beside the lesion, for one that what was carried reached beyond it.

    Once the annotator was there, what is left beyond is worked on itself.
    """
    ill = np.flatnonzero(desk.truth.any((1, 2)))
    if index not in desk.carried or ill[0] <= index <= ill[-1]:
        return index
    beside = int(ill[0] - 1 if index < ill[0] else ill[-1] + 1)
    return index if beside in desk.finished else beside


def _end(desk: Desk, index: int) -> None:
    """Say that the lesion ends at a slice, by accepting it as empty and pressing Carry there."""
    holding = set(np.flatnonzero(desk.mask.any((1, 2))).tolist())
    over = beyond(desk.carried - desk.finished, holding, index)
    if over:
        desk.press("accept")
        desk.press("carry")
        desk.mask[over] = False


def _found(slices: PromptedSlices, index: int, prompts: Array, previous: Array) -> Array:
    return slices.probable(index, np.concatenate([prompts, previous[None]])) >= 0.5


def _carried(desk: Desk, slices: PromptedSlices, start: int) -> tuple[Array, set[int]]:
    """Carry up to the next slices that were finished, as the window does."""
    below = max((n for n in desk.finished if n < start), default=-1)
    above = min((n for n in desk.finished if n > start), default=len(desk.mask))
    within = range(below + 1, above)
    walls = [n for n in (below, above) if 0 <= n < len(desk.mask)]
    ends = {n: desk.mask[n] for n in walls if desk.mask[n].any()}
    found = {}
    for event in carried(slices, {start: desk.mask[start]}, within, ends):
        if isinstance(event, SliceCarried):
            found[event.index] = event.mask
    after, nothing = desk.mask.copy(), np.zeros_like(desk.mask[start])
    for index, mask in found.items():
        after[index] = merge(desk.mask[index], mask, mask, nothing)
    return after, set(found)
