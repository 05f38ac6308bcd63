"""Folders of several cases that napari opens: seen first, then opened one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
from plans import when_plan_is_shown

from napari_unet_seg._napari.files.reader import dicom_reader

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

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


def names(viewer: Any) -> list[str]:
    return [layer.name for layer in viewer.layers]


def test_several_cases_are_seen_and_then_opened_one_by_one(
    qtbot: QtBot, make_napari_viewer: Callable[..., Any], patients: Path
) -> None:
    viewer = make_napari_viewer()
    assert dicom_reader(str(patients)) is not None
    timer = when_plan_is_shown(lambda dialog: dialog.ok_button.click())

    assert viewer.open(patients, plugin="napari-unet-seg") == []
    assert not timer.isActive()
    qtbot.waitUntil(lambda: names(viewer) == ["P1", "P1 mask"])
    image, mask = viewer.layers
    slice_ten = [int(plane.max()) for plane in np.asarray(image.data)].index(10)
    assert [plane.any() for plane in mask.data] == [at == slice_ten for at in range(12)]
    assert viewer.layers.selection.active is image


def test_nothing_is_opened_after_cancel(
    make_napari_viewer: Callable[..., Any], patients: Path
) -> None:
    viewer = make_napari_viewer()
    timer = when_plan_is_shown(lambda dialog: dialog.reject())

    assert viewer.open(patients, plugin="napari-unet-seg") == []
    assert not timer.isActive()
    assert names(viewer) == []


def test_one_plain_case_opens_without_a_question(
    make_napari_viewer: Callable[..., Any], patients: Path
) -> None:
    viewer = make_napari_viewer()

    viewer.open(patients / "P1", plugin="napari-unet-seg")
    assert names(viewer) == ["P1", "P1 mask"]


def test_a_folder_without_scans_is_told_in_a_sentence(
    make_napari_viewer: Callable[..., Any], tmp_path: Path, notifications: list[str]
) -> None:
    (tmp_path / "notes.txt").touch()
    viewer = make_napari_viewer()

    assert viewer.open(tmp_path, plugin="napari-unet-seg") == []
    assert notifications == [
        f"{tmp_path} holds no scans; give a folder of TIFF, PNG, JPEG, NIfTI, OME-Zarr or DICOM."
    ]
