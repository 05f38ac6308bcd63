"""Finding the scans of a folder: seen in the dock, stopped by a click, told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import scene
from pages import dock_of
from plans import accept_plan

from napari_unet_seg._napari.review.widget import ReviewWidget
from napari_unet_seg._napari.widgets.jobs import JobState
from napari_unet_seg.events import Progress
from napari_unet_seg.io.cases.corrections import Correction
from napari_unet_seg.io.cases.remembered import remember_corrections
from napari_unet_seg.io.images.tiff import write_array

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

MANY = 1000
"""More than the events that may wait for the window."""


@pytest.fixture
def widget(dock: Callable[[type], Any]) -> ReviewWidget:
    widget: ReviewWidget = dock(ReviewWidget)
    return widget


def test_finding_the_scans_of_many_files_is_counted_and_stopped(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path
) -> None:
    for number in range(MANY):
        (tmp_path / f"p{number}_flair.nii").touch()
    bar, counts, found = dock_of(widget).job_bar, list[int](), []
    widget.scans.planner.planned.connect(found.append)
    jobs: list[Any] = []

    def follow(job: Any) -> None:
        jobs.append(job)
        job.event_arrived.connect(count)

    def count(event: Any) -> None:
        assert isinstance(event, Progress)
        counts.append(event.done)
        assert bar.name.text() == f"Finding the scans: {event.done}"
        bar.stop_button.click()

    widget.scans.planner.job_started.connect(follow)
    widget.scans.open_folder(tmp_path)
    qtbot.waitUntil(lambda: bool(jobs) and jobs[0].state is JobState.ENDED)
    assert jobs[0].was_stopped
    assert 0 < counts[-1] < MANY
    assert widget.scans.planner.dialog is None
    assert not found
    assert bar.isHidden()


def test_a_mask_is_written_whole(qtbot: QtBot, widget: ReviewWidget, tmp_path: Path) -> None:
    mask = scene.add_mask(widget.viewer, np.ones((2, 8, 9), np.uint8))
    button, tips = dock_of(widget).job_bar.stop_button, []

    def note(_: Any) -> None:
        tips.append((button.isEnabled(), button.toolTip()))

    widget.desk.job_started.connect(note)
    widget.saver.save_tiff(mask, tmp_path / "mask.tif")
    qtbot.waitUntil(lambda: not widget.desk.busy)
    assert tips == [(False, "The file is written whole or not at all; wait until it is done.")]
    assert (tmp_path / "mask.tif").is_file()


def test_two_stacks_of_one_folder_as_cases_are_read_each(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path
) -> None:
    root = tmp_path / "scans"
    (root / "P1").mkdir(parents=True)
    for start, value in (("x", 10), ("y", 20)):
        for number in range(4):
            plane = np.full((8, 9), value, np.uint8)
            write_array(root / "P1" / f"{start}_{number}.tif", plane, axes="YX")
    remember_corrections(root, {"P1/y_0.tif": Correction(case="P2")})

    widget.bar.folder.setValue(tmp_path / "sessions" / "any")
    widget.scans.open_folder(root)
    accept_plan(qtbot)
    for name, value in (("P1", 10), ("P2", 20)):
        qtbot.waitUntil(lambda name=name: name in widget.viewer.layers)
        assert np.asarray(widget.viewer.layers[name].data).max() == value
        widget.scans.bar.next_button.click()
    widget.scans.bar.close_button.click()  # which waits for the threads of the folder
