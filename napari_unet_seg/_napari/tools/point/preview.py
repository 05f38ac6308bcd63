"""The outline before the click: what a prompt under the pointer would give."""

from __future__ import annotations

from collections import deque
from statistics import median
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, QTimer, Signal

from napari_unet_seg._napari.tools.point.question import answered
from napari_unet_seg._napari.widgets import jobs

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_unet_seg._napari.tools.point.question import Answer, Question
    from napari_unet_seg._napari.tools.prompt_network import PromptNetwork
    from napari_unet_seg.arrays import Array

_INTERVAL_MS = 67
"""Shortest time between two questions: at most 15 a second."""
TOO_SLOW = 0.12
"""Seconds of an answer from which the outlines would lag behind the pointer."""
_COUNT = 5
"""Number of answers that are looked at, so that a single slow one does not count."""


class Preview(QObject):
    """Asks for one answer at a time, always the newest question.

    Parameters
    ----------
    network : PromptNetwork
        Answers in a thread.
    parent : QObject
        The object with which a running question ends.
    """

    answered = Signal(object)
    """An `Answer`, unless `cancel` was called since its question."""
    ended = Signal(str)
    """The preview has ended by itself; emitted with the reason as a message."""

    def __init__(self, network: PromptNetwork, parent: QObject) -> None:
        super().__init__(parent)
        self.network = network
        self.is_on = True
        """Whether outlines are wanted; without, answers are only kept."""
        self.answer: Answer | None = None
        """The last answer."""
        self._asked: Question | None = None
        """What the job answers."""
        self._next: Callable[[], Question] | None = None
        self._job: jobs.Job | None = None
        self._seconds: deque[float] = deque(maxlen=_COUNT)
        self._has_ended = False
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_INTERVAL_MS)
        self._pause.timeout.connect(self._start)

    def ask(self, question: Callable[[], Question], *, at_once: bool = False) -> None:
        """Ask a question, made when its turn comes; an earlier one that still waits is dropped.

        Parameters
        ----------
        question : callable
            Makes the question.
        at_once : bool
            Whether it comes as soon as the network is free, as the answer is sure to be wanted.
        """
        self._next = question
        if at_once:
            self._pause.stop()
            if self._job is not None and not self._is_asking(question()):
                self._job.quit()
        self._start()

    def cancel(self) -> None:
        """Drop what is asked; nothing is shown of it."""
        self._next = None
        if self._job is not None:
            self._job.quit()

    def forget(self) -> None:
        """Drop what is asked, and the last answer, which holds on to its mask and image.

        How long answers take is measured anew.
        """
        self.cancel()
        self.answer = None
        self._seconds.clear()

    def answer_to(self, question: Question) -> Array | None:
        """Return the mask that answers a question if it is the one last answered."""
        last = self.answer
        return last.mask if last is not None and last.question.is_same(question) else None

    def hand_over(self, question: Question) -> jobs.Job | None:
        """Return the job that is answering a question, which `cancel` reaches no more."""
        if self._job is None or not self._is_asking(question):
            return None
        job, self._job, self._next = self._job, None, None
        return job

    def _is_asking(self, question: Question) -> bool:
        return self._asked is not None and self._asked.is_same(question)

    def _start(self) -> None:
        if self._job is not None or self._pause.isActive() or self._next is None:
            return
        make, self._next = self._next, None
        question = make()
        if self.network.warming:
            return
        if self.answer_to(question) is not None:
            self._tell()
            return
        self._pause.start()
        self._asked = question
        self._job = jobs.run(
            answered(question, self.network),
            on_event=self._take,
            on_error=lambda _: self._end("Preview is off, as the prompt network failed."),
            on_done=self._go_on,
            name="Previewing a prompt",
        )

    def _take(self, answer: Answer) -> None:
        self.answer = answer
        if not self.is_on:
            return
        self._tell()
        self._seconds.append(answer.seconds)
        # Once is enough: who switches it on again wants it as it is.
        if not self._has_ended and len(self._seconds) == _COUNT:
            if (usual := median(self._seconds)) > TOO_SLOW:
                self._end(
                    f"Preview is off, as a prompt takes {1000 * usual:.0f} ms now; tick it to have "
                    "it nevertheless."
                )

    def _tell(self) -> None:
        if self.is_on:
            self.answered.emit(self.answer)

    def _end(self, reason: str) -> None:
        self._has_ended = True
        self.cancel()
        self.ended.emit(reason)

    def _go_on(self) -> None:
        self._job = None
        self._start()
