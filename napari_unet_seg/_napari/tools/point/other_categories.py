"""The other categories that a prompt meets: what it takes of them, and what it leaves and why.

One rule holds for the brush and for Point: what is pointed at is changed, unless its category is
locked or napari's *preserve labels* is on. The brush changes what it passes over; a prompt changes
the categories that a click or stroke is put on, and not those that the answer only touches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg._napari.layers.conversion import categories_of
from napari_unet_seg._napari.layers.locks import locked_of
from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.correct.prompt_marks import AREAS, covered_by

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_unet_seg._napari.tools.point.question import Question
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.correct.change import Change
    from napari_unet_seg.correct.prompt_marks import Prompt

_UNREVIEWED = "unreviewed"


def taken_by(prompt: Prompt, mask: Labels, labels: Array, value: int) -> tuple[int, ...]:
    """Return the labels, besides background, that a category takes by a prompt on a plane."""
    if not prompt.inside or prompt.kind in AREAS or mask.preserve_labels:
        return ()
    return tuple(sorted(_labels_under(prompt, labels) - {0, value} - locked_of(mask)))


def over_others(question: Question, change: Change) -> str:
    """Return a clause with the categories that a change takes pixels of; empty if of none."""
    before = set(np.unique(question.labels[change.indices]).tolist())
    names = _names(question, before - {0, question.target.settings.value})
    return f", over {' and '.join(names)}" if names else ""


def why_nothing(question: Question) -> str:
    """Return why a prompt on other categories changes nothing, and what to do; empty if on none."""
    prompt, mask = question.prompt, question.target.mask
    name, value = question.target.category.name, question.target.settings.value
    labels = question.labels
    met = _labels_under(prompt, labels)
    if prompt.kind in AREAS:
        met = set(np.unique(labels[covered_by(prompt, labels.shape)]).tolist())
    others = _names(question, met - {0, value})
    if not others or not prompt.inside:
        return ""
    start, other = f"Nothing to change in {name}: ", " and ".join(others)
    if prompt.kind in AREAS:
        return f"{start}{other} is there, and a {prompt.kind} leaves it; click on it to take it."
    if mask.preserve_labels:
        return f"{start}napari's preserve labels keeps {other}; key B turns it off."
    if met & locked_of(mask):
        return f"{start}{other} is locked there; unlock it, or choose it."
    return ""


def _labels_under(prompt: Prompt, labels: Array) -> set[int]:
    """Return the labels under the points of a prompt; its disc is wider than what is meant."""
    points = np.rint(np.array(prompt.points)).astype(int)
    within = ((points >= 0) & (points < labels.shape)).all(1)
    return set(labels[tuple(points[within].T)].tolist())


def _names(question: Question, values: set[int]) -> list[str]:
    categories = categories_of(question.target.mask)
    named = [categories[value - 1].name for value in sorted(values) if value <= len(categories)]
    return [*named, *([_UNREVIEWED] if IGNORE_INDEX in values else [])]
