"""The tool Point: each prompt changes the mask at once, as one step of undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Signal

from napari_unet_seg._napari.layers.position import shown_part
from napari_unet_seg._napari.segment.chosen_model import POINT
from napari_unet_seg._napari.tools.drawing.tool import DrawingTool
from napari_unet_seg._napari.tools.point.box_hint import BoxHint
from napari_unet_seg._napari.tools.point.history import PromptHistory, stored_part
from napari_unet_seg._napari.tools.point.layer import PointLayer
from napari_unet_seg._napari.tools.point.other_categories import (
    over_others,
    taken_by,
    why_nothing,
)
from napari_unet_seg._napari.tools.point.preview import Preview
from napari_unet_seg._napari.tools.point.question import Question, answered
from napari_unet_seg._napari.tools.prompt_network import PromptNetwork
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg._napari.widgets.dock_widget import connect
from napari_unet_seg.correct.prompt_marks import AREAS, Prompt
from napari_unet_seg.session.stored.prompts import PromptRecord

if TYPE_CHECKING:
    from pathlib import Path

    from napari.layers import Labels
    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QWidget

    from napari_unet_seg._napari.tools.drawing.tool import FindTarget, Put
    from napari_unet_seg._napari.tools.point.question import Answer
    from napari_unet_seg._napari.tools.point.target import PromptTarget
    from napari_unet_seg.io.common.places import Part


class PointTool(DrawingTool):
    """Takes prompts from the mouse, asks the network, and changes the mask.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer in which prompts are given.
    target, put, parent
        As those of `DrawingTool`.
    """

    layer: PointLayer
    waiting = Signal(str)
    """Emitted with what a prompt waits for, as a message."""

    def __init__(self, viewer: ViewerModel, target: FindTarget, put: Put, parent: QWidget) -> None:
        super().__init__(PointLayer(viewer, parent), target, put, parent)
        self._viewer = viewer
        self.network = network = PromptNetwork()
        self.history = PromptHistory(self)
        self.preview = Preview(network, self)
        self.hint = BoxHint(self)
        self._paused = False
        self._waiting: list[tuple[Prompt, Part]] = []
        self._job: jobs.Job | None = None
        self.layer.given.connect(self.give)
        self.layer.hovered.connect(self._on_hovered)
        self.layer.pressed.connect(self._on_pressed)
        self.layer.mode_wanted.connect(self._on_mode)
        self.history.changed.connect(self.follow)
        self.preview.answered.connect(self._show)
        self.destroyed.connect(lambda: network.close())
        connect(parent, (POINT.chosen, self._on_network))

    @property
    def mask(self) -> Labels | None:
        """The mask that prompts are given on."""
        return self.history.mask

    def begin(self, target: PromptTarget) -> None:
        """Take prompts for a category; those that are on the plane already are shown."""
        if self.layer.layer is None:
            self.network.warm_up()
        super().begin(target)

    def aim(self, target: PromptTarget | None) -> None:
        """Go on with another category; None if it must not change now."""
        super().aim(target)
        self.follow()

    def end(self) -> None:
        """Take no more prompts; the last ones still change the mask."""
        self.preview.forget()
        self.hint.end()
        super().end()

    def show_outlines(self, wanted: bool) -> None:
        """Show the outline before the click, or none."""
        self.preview.is_on = wanted
        if not wanted:
            self._show_nothing()

    def pause(self, paused: bool) -> None:
        """Show no outlines for the time being.

        The layer stays: to remove it and to add it again holds up the window.
        """
        self._paused = paused
        if paused:
            self._show_nothing()

    def follow(self) -> None:
        """Show the prompts of the plane on screen."""
        if (mask := self.mask) is not None and self.layer.layer is not None:
            self.preview.cancel()
            part, target = shown_part(self._viewer, mask), self._target
            prompts = self.history.on_plane(part, target.category.id) if target else ()
            self.layer.show_prompts(prompts, part)

    def clear(self) -> None:
        """Forget the prompts on the plane on screen; the mask stays."""
        if (mask := self.mask) is not None:
            self.history.clear(shown_part(self._viewer, mask))

    def give(self, prompt: Prompt, part: Part) -> None:
        """Change the mask by a prompt, after those that still wait for their answers."""
        self._waiting.append((prompt, part))
        self._answer_next()

    def _answer_next(self) -> None:
        while self._waiting and self._job is None:
            prompt, part = self._waiting.pop(0)
            target = self._find_target()
            if target is None:
                self._waiting.clear()
                self.follow()
                return
            question = self._question(target, prompt, part)
            mask = self.preview.answer_to(question)
            if mask is not None:
                self._change(question, mask)
            else:
                self._ask(question)

    def _ask(self, question: Question) -> None:
        def take(answer: Answer) -> None:
            self._change(question, answer.mask)

        def go_on() -> None:
            self._job = None
            self._answer_next()

        if self.network.warming:
            self.waiting.emit("Loading the prompt network …")
        # What the pointer has asked already is answered sooner than what is asked now.
        job = self.preview.hand_over(question)
        if job is not None:
            job.event_arrived.connect(job.unless_abandoned(take))
            job.ended.connect(job.unless_abandoned(go_on))
        else:
            self.preview.cancel()
            events = answered(question, self.network)
            job = jobs.run(events, on_event=take, on_done=go_on, name="Following a prompt")
        self._job = job
        self.destroyed.connect(job.abandon)

    def _question(self, target: PromptTarget, prompt: Prompt, part: Part) -> Question:
        labels, settings = np.array(target.mask.data[part]), target.settings
        over = taken_by(prompt, target.mask, labels, settings.value)
        target = target._replace(settings=settings._replace(over=over))
        older = self.history.on_plane(part, target.category.id)
        return Question(target, part, labels, older, prompt, POINT.current())

    def _change(self, question: Question, mask: Any) -> None:
        target, prompt = question.target, question.prompt
        now = target.mask.data[question.part]
        change = question.change(mask).where_equal(question.labels, now)
        record = PromptRecord(
            kind=prompt.kind,
            inside=prompt.inside,
            category=target.category.id,
            part=stored_part(question.part),
            points=prompt.points,
        )
        with self.history.giving(record):
            summary = _summary(prompt, target.category.name) + over_others(question, change)
            self._put(target, question.part, change, summary)
        if not change.values.size and (why := why_nothing(question)):
            self.waiting.emit(why)
        self.hint.note(question, change)
        self.follow()

    def _on_hovered(self, point: tuple[float, float] | None, inside: bool) -> None:
        if point is None or not self.preview.is_on:
            self._show_nothing()
        else:
            self._look_at(point, inside)

    def _on_pressed(self, point: tuple[float, float], inside: bool) -> None:
        """Have the answer to a click on its way before the button is up."""
        self._look_at(point, inside, at_once=True)

    def _look_at(self, point: tuple[float, float], inside: bool, *, at_once: bool = False) -> None:
        target = self._target
        if target is None or self._paused or self._job is not None:
            self._show_nothing()
            return
        prompt, part = Prompt("click", inside, (point,)), self.layer.part
        self.preview.ask(lambda: self._question(target, prompt, part), at_once=at_once)

    def _show_nothing(self) -> None:
        self.preview.cancel()
        self.layer.show_contour(None)

    def _show(self, answer: Answer) -> None:
        # The answer that a click waits for is drawn as its mask.
        waited_for = self._job is not None
        if self._target is not None and answer.question.part == self.layer.part and not waited_for:
            self.layer.show_contour(answer.outline)

    def _on_network(self, _: Path) -> None:
        """Go on with another network, which the next prompt asks."""
        self._show_nothing()
        self.preview.forget()
        if self.layer.layer is not None:
            self.network.warm_up()

    def _on_mode(self, mode: str) -> None:
        """Go on with napari's brush, for example, on the mask."""
        if (mask := self.mask) is not None:
            self.ended.emit()
            mask.mode = mode


def _summary(prompt: Prompt, name: str) -> str:
    if prompt.kind in AREAS:
        return f"{prompt.kind.capitalize()} {'around' if prompt.inside else 'without'} {name}"
    return f"{prompt.kind.capitalize()} {'inside' if prompt.inside else 'outside'} {name}"
