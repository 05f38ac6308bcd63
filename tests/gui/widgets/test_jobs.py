from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from qtpy.QtCore import QObject, QTimer
from qtpy.QtWidgets import QApplication, QMainWindow, QMessageBox, QPushButton, QVBoxLayout, QWidget

from napari_unet_seg._napari.widgets.closing import close_guard
from napari_unet_seg._napari.widgets.dock_widget import DockWidget
from napari_unet_seg._napari.widgets.jobs import Job, JobState, active_jobs, run
from napari_unet_seg.errors import DataError, EngineError
from napari_unet_seg.events import Command
from napari_unet_seg.process.engine_process import EngineProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from pytestqt.qtbot import QtBot

    Events = Generator[Any, Command | None, None]

pytestmark = pytest.mark.own_process


def numbers(n: int | None = None) -> Events:
    """Count, without a number until it is stopped."""
    for i in itertools.count() if n is None else range(n):
        if (yield i) is Command.STOP:
            yield "stopped"
            return


def in_child(function: str, *args: Any) -> Events:
    with EngineProcess() as engine:
        yield from engine.stream(f"fake_engine:{function}", *args)


class Form(QWidget):
    """A form that starts a job, as the dock widgets do."""

    def __init__(self) -> None:
        super().__init__()
        self.button = QPushButton("Start", self)
        QVBoxLayout(self).addWidget(self.button)
        self.events: list[Any] = []
        self.errors: list[Any] = []
        self.threads: set[threading.Thread] = set()
        self.job: Job | None = None

    def start(self, generator: Events) -> Job:
        self.button.setEnabled(False)
        self.job = run(
            generator,
            on_event=self.on_event,
            on_error=self.errors.append,
            on_done=lambda: self.button.setEnabled(True),
            name="Training",
        )
        return self.job

    def on_event(self, event: Any) -> None:
        self.events.append(event)
        self.threads.add(threading.current_thread())


@pytest.fixture
def form(qtbot: QtBot) -> Form:
    form = Form()
    qtbot.addWidget(form)
    return form


def test_events_arrive_on_the_main_thread_and_the_end_last(qtbot: QtBot, form: Form) -> None:
    job = form.start(numbers(100))
    with qtbot.waitSignal(job.ended):
        pass
    assert form.events == list(range(100))
    assert form.threads == {threading.main_thread()}
    assert form.button.isEnabled()
    assert job.state is JobState.ENDED
    assert active_jobs() == ()


def test_the_thread_does_not_run_away_from_the_window(qtbot: QtBot, form: Form) -> None:
    pulled = []

    def endless() -> Events:
        while True:
            pulled.append(1)
            yield 1

    job = form.start(endless())
    for _ in range(20):
        threading.Event().wait(0.01)
    assert len(pulled) <= 17
    job.quit()
    qtbot.waitUntil(lambda: job.state is JobState.ENDED)


def test_pause_holds_and_resume_goes_on(qtbot: QtBot, form: Form) -> None:
    pulled, may_count = [], threading.Semaphore(3)

    def gated() -> Events:
        for i in itertools.count():
            pulled.append(i)
            may_count.acquire()
            if (yield i) is Command.STOP:
                return

    job = form.start(gated())
    qtbot.waitUntil(lambda: form.events == [0, 1, 2] and len(pulled) == 4)
    job.pause()
    assert job.state is JobState.PAUSED
    may_count.release(100)
    qtbot.waitUntil(lambda: len(form.events) == 4)  # the one that was pulled already
    qtbot.wait(50)
    assert form.events == [0, 1, 2, 3]
    job.resume()
    qtbot.waitUntil(lambda: len(form.events) > 4)
    job.stop()
    may_count.release()  # it may wait for one, where it hears no stop
    qtbot.waitUntil(lambda: job.state is JobState.ENDED)


@pytest.mark.parametrize("paused", [False, True])
def test_stop_lets_the_generator_end_in_good_order(qtbot: QtBot, form: Form, paused: bool) -> None:
    job = form.start(numbers())
    qtbot.waitUntil(lambda: len(form.events) > 3)
    if paused:
        job.pause()
    job.stop()
    qtbot.waitUntil(lambda: job.state is JobState.ENDED)
    assert form.events[-1] == "stopped"


def test_stop_is_not_lost_at_an_event_that_does_not_listen(qtbot: QtBot, form: Form) -> None:
    def hard_of_hearing() -> Events:
        for i in itertools.count():
            yield "deaf"
            if (yield i) is Command.STOP:
                return

    job = form.start(hard_of_hearing())
    qtbot.waitUntil(lambda: len(form.events) > 3)
    job.stop()
    with qtbot.waitSignal(job.ended):
        pass
    assert job.state is JobState.ENDED, "it counts on, since the stop came at the other event"


def test_quit_closes_the_generator(qtbot: QtBot, form: Form) -> None:
    closed = threading.Event()

    def careful() -> Events:
        try:
            yield from numbers()
        finally:
            closed.set()

    job = form.start(careful())
    qtbot.waitUntil(lambda: len(form.events) > 3)
    job.quit()
    qtbot.waitUntil(lambda: job.state is JobState.ENDED)
    assert closed.is_set()
    assert "stopped" not in form.events


def failing(error: Exception) -> Events:
    yield 1
    raise error


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (DataError("scan.tif is empty."), DataError, "scan.tif is empty."),
        (RuntimeError("no shape"), EngineError, "Training failed (RuntimeError: no shape); "),
        (KeyError("gone"), EngineError, "Training failed (KeyError: 'gone'); "),
    ],
)
def test_every_error_is_shown_and_leaves_the_form_usable(
    qtbot: QtBot,
    form: Form,
    notifications: list[str],
    error: Exception,
    kind: type[Exception],
    text: str,
) -> None:
    job = form.start(failing(error))
    qtbot.waitUntil(lambda: job.state is JobState.ENDED)
    (shown,) = notifications
    assert shown.startswith(text)
    assert [type(e) for e in form.errors] == [kind]
    assert form.button.isEnabled()


def test_out_of_memory_in_the_child_reaches_the_user(
    qtbot: QtBot, form: Form, notifications: list[str]
) -> None:
    job = form.start(in_child("torch_out_of_memory"))
    with qtbot.waitSignal(job.ended):
        pass
    assert len(notifications) == 1
    assert "ran out of memory" in notifications[0]
    assert "smaller batch" in notifications[0]
    assert form.button.isEnabled()
    job = form.start(in_child("count", 3))
    with qtbot.waitSignal(job.ended):
        pass
    assert form.events == [1, 0, 1, 2]


def test_a_destroyed_widget_stops_its_job(qtbot: QtBot) -> None:
    form = Form()
    job = form.start(numbers())
    with qtbot.waitSignal(job.ended):
        form.deleteLater()
    assert job.state is JobState.ENDED
    assert job.was_stopped


class Listener(QObject):
    """Takes events, and is no widget."""

    def on_event(self, _event: Any) -> None:
        """Take one."""


def test_a_window_closes_over_a_job_whose_owner_is_gone(qtbot: QtBot, window: QMainWindow) -> None:
    listener = Listener()
    job = run(numbers(), on_event=listener.on_event)
    with qtbot.waitSignal(listener.destroyed):
        listener.deleteLater()
    assert window.close()
    qtbot.waitUntil(lambda: job.state is JobState.ENDED)


def answer(text: str, seen: list[str]) -> None:
    """Press a button of the question as soon as it is open."""

    def press() -> None:
        box = QApplication.activeModalWidget()
        if not isinstance(box, QMessageBox):
            QTimer.singleShot(20, press)
            return
        seen.append(f"{box.text()} {box.informativeText()}".strip())
        next(b for b in box.buttons() if b.text().replace("&", "") == text).click()

    QTimer.singleShot(0, press)


@pytest.fixture
def window(qtbot: QtBot) -> QMainWindow:
    window = QMainWindow()
    close_guard.guard_window(window)
    qtbot.addWidget(window)
    window.show()
    return window


@pytest.mark.parametrize(
    ("text", "keeps"), [("Keep open", ""), ("Stop and close", "Its best model stays.")]
)
def test_closing_a_window_over_a_job_asks(
    qtbot: QtBot,
    window: QMainWindow,
    form: Form,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    keeps: str,
) -> None:
    monkeypatch.undo()
    seen: list[str] = []
    job = form.start(in_child("count_until_stopped"))
    job.keeps = keeps
    qtbot.waitUntil(lambda: len(form.events) > 3)
    answer(text, seen)
    closed = window.close()
    assert seen == [f"Training is running. {keeps}".strip()]
    assert closed == (text == "Stop and close")
    assert (job.state is JobState.ENDED) == closed
    assert window.isVisible() != closed
    if closed:
        assert form.events[-1] == -1
    job.stop()
    qtbot.waitUntil(lambda: job.state is JobState.ENDED)


def test_a_job_that_does_not_stop_is_cut_off(qtbot: QtBot, form: Form) -> None:
    before = set(psutil.Process().children(recursive=True))
    job = form.start(in_child("stuck"))
    qtbot.waitUntil(lambda: form.events == [1])
    close_guard.end_jobs([job], seconds=0.2)
    assert set(psutil.Process().children(recursive=True)) <= before
    qtbot.waitUntil(lambda: job.state is JobState.ENDED)


def test_a_window_without_jobs_closes_unasked(
    window: QMainWindow, form: Form, qtbot: QtBot
) -> None:
    job = form.start(numbers(3))
    qtbot.waitUntil(lambda: job.state is JobState.ENDED)
    assert window.close()


def test_a_script_may_close_a_viewer_over_a_job(
    qtbot: QtBot, make_napari_viewer: Callable[..., Any], form: Form
) -> None:
    viewer = make_napari_viewer()
    viewer.window.add_dock_widget(DockWidget(viewer))
    job = form.start(in_child("count_until_stopped"))
    qtbot.waitUntil(lambda: len(form.events) > 3)
    viewer.close()
    assert job.state is JobState.ENDED
    assert form.events[-1] == -1, "it did not end in good order"
