"""The bar of long jobs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg._napari.widgets.job_bar import JobBar
from napari_unet_seg.events import Progress

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from pytestqt.qtbot import QtBot


@pytest.fixture
def go_on() -> Iterator[threading.Event]:
    """Let the jobs of a test end."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def bar(qtbot: QtBot) -> JobBar:
    bar = JobBar()
    qtbot.addWidget(bar)
    return bar


def run(bar: JobBar, go_on: threading.Event, name: str, *events: Any, **options: Any) -> jobs.Job:
    def work() -> Generator[Any, Any, None]:
        yield from events
        go_on.wait(60)

    job = jobs.run(work(), on_event=lambda _: None, name=name, **options)
    bar.watch(job)
    return job


def test_a_job_without_a_count_is_named_beside_the_bar(
    qtbot: QtBot, bar: JobBar, go_on: threading.Event
) -> None:
    run(bar, go_on, "Finding", Progress(40, 0))
    assert bar.isHidden()
    qtbot.waitUntil(bar.isVisible)
    qtbot.waitUntil(lambda: bar.name.text() == "Finding: 40")
    assert bar.progress.value() < 1, "each value would draw the window"
    go_on.set()
    qtbot.waitUntil(bar.isHidden)


def test_a_count_is_told_in_the_bar(qtbot: QtBot, bar: JobBar, go_on: threading.Event) -> None:
    run(bar, go_on, "Opening", Progress(40, 0), Progress(2, 3))
    qtbot.waitUntil(lambda: bar.progress.text() == "Opening: 2 of 3")
    assert bar.name.isHidden()
    go_on.set()
    qtbot.waitUntil(lambda: not jobs.active_jobs())


def test_what_cannot_be_stopped_says_why(qtbot: QtBot, bar: JobBar, go_on: threading.Event) -> None:
    run(bar, go_on, "Saving", unstoppable="It is written whole.")
    assert not bar.stop_button.isEnabled()
    assert bar.stop_button.toolTip() == "It is written whole."
    go_on.set()
    qtbot.waitUntil(lambda: not jobs.active_jobs())


def test_the_first_job_is_shown_again_after_the_second(
    qtbot: QtBot, bar: JobBar, go_on: threading.Event
) -> None:
    second = threading.Event()
    run(bar, go_on, "First", unstoppable="It is written whole.")
    run(bar, second, "Second")
    qtbot.waitUntil(bar.isVisible)
    assert bar.name.text() == "Second…"
    assert bar.stop_button.isEnabled()
    second.set()
    qtbot.waitUntil(lambda: bar.name.text() == "First…")
    assert not bar.stop_button.isEnabled()
    go_on.set()
    qtbot.waitUntil(bar.isHidden)
