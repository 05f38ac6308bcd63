"""Jobs: generators that run in a thread, with their events delivered on the main thread."""

from __future__ import annotations

import threading
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

from qtpy.QtCore import QObject, Signal

from napari_unet_seg import log
from napari_unet_seg._napari.widgets.messages import show_error
from napari_unet_seg.errors import EngineError, SegmentationError
from napari_unet_seg.events import Command

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

T = TypeVar("T")
_BACKLOG = 16
"""Events that may wait for the main thread before the next one is pulled."""
_ACTIVE: list[Job] = []


class JobState(Enum):
    """The state of a job; a stopping job still delivers its last events."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    ENDED = "ended"


class Job(QObject):
    """A running generator of events; made by `run`.

    All signals arrive on the main thread; `ended` is always the last signal.
    """

    event_arrived = Signal(object)
    failed = Signal(object)
    ended = Signal()
    state_changed = Signal(object)
    _arrived = Signal(object)
    _generator_ended = Signal(object)

    def __init__(self, generator: Generator[Any, Command | None, None], name: str) -> None:
        super().__init__()
        self.name = name
        self.keeps = ""
        """What is kept of the job if it is stopped, as a sentence."""
        self.unstoppable = ""
        """Why the user cannot stop the job, as a sentence; empty if it can be stopped."""
        self.owner: QObject | None = None
        """The widget that started the job; None if another object did."""
        self.state = JobState.RUNNING
        self._generator = generator
        self._change = threading.Condition()
        self._waiting = 0
        self._command: Command | None = None
        self._quitting = False
        self._abandoned = False
        self._arrived.connect(self._deliver)
        self._generator_ended.connect(self._end)
        self._thread = threading.Thread(target=self._run_generator, name=f"{name} job", daemon=True)

    @property
    def was_stopped(self) -> bool:
        """Whether the generator was asked to stop early."""
        return self._command is Command.STOP

    def start(self) -> None:
        """Start to pull events."""
        _ACTIVE.append(self)
        self._thread.start()

    def pause(self) -> None:
        """Pull no more events until `resume`."""
        if self.state is JobState.RUNNING:
            self._set_state(JobState.PAUSED)

    def resume(self) -> None:
        """Go on after a pause."""
        if self.state is JobState.PAUSED:
            self._set_state(JobState.RUNNING)

    def stop(self) -> None:
        """Ask the generator to stop; its last events still arrive."""
        if self.state in (JobState.RUNNING, JobState.PAUSED):
            with self._change:
                self._command = Command.STOP
            self._set_state(JobState.STOPPING)

    def quit(self) -> None:
        """Close the generator at its next event; only `ended` still arrives."""
        if self.state is not JobState.ENDED:
            self._quitting = True
            self._set_state(JobState.STOPPING)

    def abandon(self) -> None:
        """Stop, and call no more callbacks, because their widget was deleted."""
        self._abandoned, self.owner = True, None
        self.stop()

    def unless_abandoned(self, callback: Callable[..., None]) -> Callable[..., None]:
        """Wrap a callback so that it is not called after `abandon`."""

        def call(*args: Any) -> None:
            if not self._abandoned:
                callback(*args)

        return call

    def _set_state(self, state: JobState) -> None:
        with self._change:
            self.state = state
            self._change.notify_all()
        self.state_changed.emit(state)

    def _run_generator(self) -> None:
        error: SegmentationError | None = None
        try:
            with log.operation(self.name):
                self._pull()
        except SegmentationError as own:
            error = own
        except Exception as other:  # RuntimeErrors too, which superqt's workers swallow
            error = EngineError(log.problem(other, self.name))
        self._generator_ended.emit(error)

    def _pull(self) -> None:
        command = None
        try:
            while True:
                self._arrived.emit(self._generator.send(command))
                with self._change:
                    self._waiting += 1
                    self._change.wait_for(self._may_go_on)
                    # Sent again at each event, as a generator may ignore it at some of them.
                    command = self._command
                if self._quitting:
                    return
        except StopIteration:
            pass
        finally:
            self._generator.close()

    def _may_go_on(self) -> bool:
        ready = self.state is not JobState.PAUSED and self._waiting < _BACKLOG
        return self._quitting or ready

    def _deliver(self, event: Any) -> None:
        with self._change:
            self._waiting -= 1
            self._change.notify_all()
        if not self._quitting:
            self.event_arrived.emit(event)

    def _end(self, error: SegmentationError | None) -> None:
        self._thread.join()
        if self in _ACTIVE:
            _ACTIVE.remove(self)
        self._set_state(JobState.ENDED)
        if error is not None and not self._quitting:
            self.failed.emit(error)
        self.ended.emit()


def run(
    generator: Generator[Any, Command | None, None],
    *,
    on_event: Callable[[Any], None],
    on_error: Callable[[SegmentationError], None] | None = None,
    on_done: Callable[[], None] | None = None,
    name: str = "The job",
    unstoppable: str = "",
) -> Job:
    """Run a generator of events in a thread.

    An error is shown as a notification, whether or not `on_error` is given. If `on_event` is a
    method of a Qt object, a widget for example, and that object is destroyed, the job is stopped
    and its results are kept.

    Parameters
    ----------
    generator
        A generator of the engine in a child process, or any other generator of events.
    on_event
        Called with each event on the main thread.
    on_error
        Called with the error if the generator raised one.
    on_done
        Called last, after success, error and stop alike.
    name
        Name of the job for the user, as it starts a sentence: "Training".
    unstoppable
        Why the user cannot stop the job, as a sentence; empty if it can be stopped.
    """
    job = Job(generator, name)
    job.unstoppable = unstoppable
    for signal, callback in (
        (job.event_arrived, on_event),
        (job.failed, on_error),
        (job.ended, on_done),
    ):
        if callback is not None:
            signal.connect(job.unless_abandoned(callback))
    job.failed.connect(lambda error: show_error(str(error)))
    owner = getattr(on_event, "__self__", None)
    if isinstance(owner, QObject):
        job.owner = owner
        owner.destroyed.connect(job.abandon)
    job.start()
    return job


def until_stopped(steps: Generator[Any, Any, T]) -> Generator[Any, Command | None, T | None]:
    """Yield the events of steps, and return their result; None if the user stops between them."""
    try:
        while True:
            if (yield next(steps)) is Command.STOP:
                return None
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        steps.close()


def active_jobs() -> tuple[Job, ...]:
    """All jobs that have not ended."""
    return tuple(_ACTIVE)
