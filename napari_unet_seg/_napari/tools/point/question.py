"""A prompt as a question to the network, and the mask that answers it; runs in a thread."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_unet_seg.correct.prompt_marks import AREAS, covered_by, likely_object, marks_of
from napari_unet_seg.correct.prompts import follow_prompt, outline_in, outline_in_box
from napari_unet_seg.correct.shapes import box_of

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from napari_unet_seg._napari.tools.point.target import PromptTarget
    from napari_unet_seg._napari.tools.prompt_network import PromptNetwork
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.correct.change import Change
    from napari_unet_seg.correct.prompt_marks import Prompt
    from napari_unet_seg.correct.prompts import Find
    from napari_unet_seg.correct.tools import Operation
    from napari_unet_seg.io.common.places import Part


class Question(NamedTuple):
    """A prompt on a plane, with all that its answer depends on."""

    target: PromptTarget
    part: Part
    labels: Array
    """A copy of the labels on the plane."""
    older: tuple[Prompt, ...]
    """The prompts for the category that are on the plane already."""
    prompt: Prompt
    network: Path
    """The checkpoint that is asked."""

    def is_same(self, other: Question) -> bool:
        """Whether another question has the same answer."""
        mine, theirs = self.target, other.target
        return (
            mine.sees_as(theirs)
            and mine.mask is theirs.mask
            and mine.settings.value == theirs.settings.value
            and mine.settings.over == theirs.settings.over
            and (self.part, self.older, self.prompt) == (other.part, other.older, other.prompt)
            and self.network == other.network
            and np.array_equal(self.labels, other.labels)
        )

    def change(self, mask: Array) -> Change:
        """Return the change of the plane after which the category covers a mask."""
        return self.target.settings.change(self.labels, mask)


class Answer(NamedTuple):
    """The new mask of the category on the plane."""

    question: Question
    mask: Array
    outline: Array
    """The contour of the parts of the mask that the prompt changes or points at."""
    seconds: float


def answered(question: Question, network: PromptNetwork) -> Generator[Answer, Any, None]:
    """Ask the network; yield its answer."""
    start = time.perf_counter()
    mask = _answer(question, _finder(network, question.network, question.target, question.part))
    seconds = time.perf_counter() - start
    yield Answer(question, mask, _outline(question, mask), seconds)


def _finder(network: PromptNetwork, model: Path, target: PromptTarget, place: Part) -> Find:
    """Return the network as a function of prompts and mask on a plane of a target's sequences."""
    return partial(network.find, model, target.scan, place, others=target.others)


def _answer(question: Question, find: Find) -> Array:
    labels, prompt, settings = question.labels, question.prompt, question.target.settings
    shape, present = labels.shape, labels == settings.value
    taken = ~present & ~np.isin(labels, (0, *settings.over))
    if prompt.kind not in AREAS:
        new, older = marks_of((prompt,), shape), marks_of(question.older, shape)
        scribbled = prompt.kind == "scribble"
        return follow_prompt(find, present, taken, new, older, scribbled=scribbled)
    rest = present & ~(area := covered_by(prompt, shape))
    if not prompt.inside:
        return rest
    return rest | (outline_in(find, present, area, likely_object(prompt, shape)) & ~taken)


def _outline(question: Question, mask: Array) -> Array:
    from scipy.ndimage import binary_dilation, binary_erosion, label

    at = mask ^ (question.labels == question.target.settings.value)
    at[tuple(int(each) for each in question.prompt.points[0])] = True
    outline = np.zeros_like(mask)
    window = box_of(mask | at, 1)
    if window is not None:
        parts, _ = label(mask[window])
        met = np.unique(parts[binary_dilation(at[window])])
        near = np.isin(parts, met[met > 0])
        outline[window] = near & ~binary_erosion(near, border_value=1)
    return outline


def outline_parts(target: PromptTarget, network: PromptNetwork, model: Path) -> Operation:
    """Return the operation that takes each part of the category for a box around an object."""

    def operation(labels: Array, place: Part) -> Change:
        from scipy.ndimage import find_objects, label

        present = labels == target.settings.value
        drawn, find = np.zeros(labels.shape, bool), _finder(network, model, target, place)
        for rows, columns in find_objects(label(present)[0]):
            box = (rows.start, columns.start, rows.stop, columns.stop)
            drawn |= outline_in_box(find, present, box)
        return target.settings.change(labels, drawn)

    return operation
