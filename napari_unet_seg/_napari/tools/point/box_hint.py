"""The hint to draw a box where clicks take only a small part, a dark core for example."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakSet

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_unet_seg._napari.widgets.settings import recall, remember
from napari_unet_seg.correct.prompt_marks import AREAS

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_unet_seg._napari.tools.point.question import Question
    from napari_unet_seg.correct.change import Change
    from napari_unet_seg.correct.prompt_marks import Prompt
    from napari_unet_seg.io.common.places import Part

TEXT = "Shift and drag a box around it to take all of it"
_KEY = "tools/box_known"
"""Key for whether the user has drawn a box or lasso, and needs no hint."""
_LITTLE = 0.005
"""Share of a plane up to which a click has added little."""
_NEAR = 0.125
"""Share of the diagonal of a plane up to which two clicks are most likely on one object."""


class BoxHint(QObject):
    """Follows the prompts on a mask; one hint a mask, and none to who knows boxes."""

    changed = Signal(bool)
    """Emitted with whether the hint is to be shown."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._hinted: WeakSet[Labels] = WeakSet()
        self._last: tuple[Part, Prompt] | None = None
        """The last prompt with its plane, if it was a click inside that added little."""

    def note(self, question: Question, change: Change) -> None:
        """Take note of a prompt, and of what it has changed."""
        prompt, mask = question.prompt, question.target.mask
        if prompt.kind in AREAS:
            remember(_KEY, True)
            self.end()
            return
        last, self._last = self._last, None
        if _adds_little(question, change):
            self._last = question.part, prompt
        if last is None or self._last is None or mask in self._hinted or recall(_KEY, False):
            return
        (part, before), reach = last, _NEAR * np.hypot(*question.labels.shape)
        if part == question.part and _distance(before, prompt) <= reach:
            self._hinted.add(mask)
            self.changed.emit(True)

    def end(self) -> None:
        """Take the hint back: a box was drawn, or Point has ended."""
        self._last = None
        self.changed.emit(False)


def _adds_little(question: Question, change: Change) -> bool:
    """Whether a prompt is a click inside, beside the mask, which has added little to it."""
    prompt, labels = question.prompt, question.labels
    if prompt.kind != "click" or not prompt.inside:
        return False
    value = question.target.settings.value
    was_inside = labels[tuple(np.array(prompt.points[0], int))] == value
    added = np.count_nonzero(change.values == value)
    return bool(not was_inside and 0 < added <= _LITTLE * labels.size)


def _distance(one: Prompt, two: Prompt) -> float:
    return float(np.hypot(*np.subtract(one.points[0], two.points[0])))
