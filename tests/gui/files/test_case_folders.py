"""Folders of several cases that napari opens: seen first, then opened one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
from dicom_files import write_series
from plans import accept_plan, shown_plan
from qtpy.QtCore import QTimer

from napari_unet_seg._napari.dock.widget import UNetSegWidget
from napari_unet_seg._napari.files.reader import dicom_reader

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

PLUGIN = "napari-unet-seg"

pytestmark = pytest.mark.usefixtures("only_this_plugin")


@pytest.fixture
def patients(tmp_path: Path) -> Path:
    """Two patients with a stack of slices and a mask of each slice."""
    for name in ("P1", "P2"):
        (tmp_path / name).mkdir()
        for number in range(1, 13):
            plane = np.full((8, 9), number, np.uint8)
            tifffile.imwrite(tmp_path / name / f"{name}_{number}.tif", plane)
            mask = np.zeros_like(plane)
            mask[:2] = number == 10
            tifffile.imwrite(tmp_path / name / f"{name}_{number}_mask.tif", mask)
    return tmp_path


def open_as_user(qtbot: QtBot, viewer: Any, *folders: Path) -> list[str]:
    """Open folders as napari's menu does, and return the names of the dock's jobs."""
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "U-Net Seg")
    assert isinstance(dock, UNetSegWidget)
    jobs: list[str] = []
    opened: list[Any] = []
    dock.correct.scans.planner.job_started.connect(lambda job: jobs.append(job.name))

    def act() -> None:
        opened.append(viewer.open(list(map(str, folders)), plugin=PLUGIN))

    QTimer.singleShot(0, act)
    qtbot.waitUntil(lambda: bool(opened))
    return jobs


def names(viewer: Any) -> list[str]:
    return [layer.name for layer in viewer.layers]


def test_several_cases_are_seen_and_then_opened_one_by_one(
    qtbot: QtBot, make_napari_viewer: Callable[..., Any], patients: Path
) -> None:
    viewer = make_napari_viewer()
    assert dicom_reader(str(patients)) is not None

    assert viewer.open(patients, plugin=PLUGIN) == []
    accept_plan(qtbot)
    qtbot.waitUntil(lambda: names(viewer) == ["P1", "P1 mask"])
    image, mask = viewer.layers
    slice_ten = [int(plane.max()) for plane in np.asarray(image.data)].index(10)
    assert [plane.any() for plane in mask.data] == [at == slice_ten for at in range(12)]
    assert viewer.layers.selection.active is image


def test_nothing_is_opened_after_cancel(
    qtbot: QtBot, make_napari_viewer: Callable[..., Any], patients: Path
) -> None:
    viewer = make_napari_viewer()

    assert viewer.open(patients, plugin=PLUGIN) == []
    shown_plan(qtbot).reject()
    assert names(viewer) == []


def test_the_user_waits_for_no_plan_of_a_folder(
    qtbot: QtBot, make_napari_viewer: Callable[..., Any], patients: Path
) -> None:
    viewer = make_napari_viewer()
    jobs = open_as_user(qtbot, viewer, patients)

    qtbot.waitUntil(lambda: jobs == ["Finding the scans"])
    assert names(viewer) == []
    accept_plan(qtbot)
    qtbot.waitUntil(lambda: names(viewer) == ["P1", "P1 mask"])


def test_a_series_that_takes_a_moment_is_read_at_once(
    qtbot: QtBot, make_napari_viewer: Callable[..., Any], tmp_path: Path
) -> None:
    write_series(tmp_path / "one", [0.0, 1.0])
    viewer = make_napari_viewer()

    assert open_as_user(qtbot, viewer, tmp_path / "one") == []
    qtbot.waitUntil(lambda: names(viewer) == ["one"])


def test_of_several_folders_that_are_dropped_the_first_is_opened(
    qtbot: QtBot,
    make_napari_viewer: Callable[..., Any],
    patients: Path,
    notifications: list[str],
) -> None:
    viewer = make_napari_viewer()
    open_as_user(qtbot, viewer, patients / "P2", patients / "P1")

    qtbot.waitUntil(lambda: names(viewer) == ["P2", "P2 mask"])
    assert notifications == [
        f"{patients / 'P2'} is opened, and 1 other folder not; open the folder that holds all of "
        "them."
    ]


def test_one_plain_case_opens_without_a_question(
    make_napari_viewer: Callable[..., Any], patients: Path
) -> None:
    viewer = make_napari_viewer()

    viewer.open(patients / "P1", plugin=PLUGIN)
    assert names(viewer) == ["P1", "P1 mask"]


@pytest.mark.parametrize("waits", [False, True])
def test_a_folder_without_scans_is_told_in_a_sentence(
    qtbot: QtBot,
    make_napari_viewer: Callable[..., Any],
    tmp_path: Path,
    notifications: list[str],
    waits: bool,
) -> None:
    (tmp_path / "notes.txt").touch()
    viewer = make_napari_viewer()

    if waits:
        open_as_user(qtbot, viewer, tmp_path)
    else:
        assert viewer.open(tmp_path, plugin=PLUGIN) == []
    qtbot.waitUntil(lambda: bool(notifications))
    assert notifications == [
        f"{tmp_path} holds no scans; give a folder of TIFF, PNG, JPEG, NIfTI, OME-Zarr or DICOM."
    ]
