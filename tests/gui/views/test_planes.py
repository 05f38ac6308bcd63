"""Planes of the patient: which button shows what, upright, and the letters at the edges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pytest
from mouse import canvas_of
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QLabel

from napari_unet_seg._napari.layers.conversion import scan_options
from napari_unet_seg._napari.layers.layer_record import LayerRecord
from napari_unet_seg._napari.views.bar import ViewBar
from napari_unet_seg._napari.views.planes import camera_of
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.nifti import read_nifti

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

SHAPE = (6, 8, 10)
UPRIGHT = {"Axial": "RLAP", "Coronal": "RLSI", "Sagittal": "APSI"}
"""By button: letters at the left, the right, the top and the bottom."""
AXES = {"L": (-1, 0, 0), "P": (0, -1, 0), "S": (0, 0, 1), "A": (0, 1, 0), "I": (0, 0, -1)}


def scan(directions: str) -> Scan:
    affine = np.eye(4)
    affine[:3, :3] = np.array([AXES[letter] for letter in reversed(directions)]).T * (1, 2, 3)
    return Scan(np.zeros(SHAPE, np.uint8), "ZYX", (3.0, 2.0, 1.0), "mm", affine=affine)


@pytest.fixture
def bar(qtbot: QtBot, dock: Callable[[type], Any]) -> ViewBar:
    bar: ViewBar = dock(ViewBar)
    bar.window().show()
    qtbot.waitExposed(bar.window())
    return bar


def viewer_of(bar: ViewBar) -> Any:
    return bar._viewer


def add(bar: ViewBar, opened: Scan, name: str = "scan") -> Any:
    return viewer_of(bar).add_image(opened.data, **scan_options(opened, name))


def click(bar: ViewBar, text: str) -> None:
    button = next(b for b in (*bar.planes, bar.letters) if b.text() == text)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def letters(bar: ViewBar) -> str:
    """The letters over the canvas at the left, the right, the top and the bottom."""
    labels = {x.objectName(): x for x in canvas_of(viewer_of(bar)).findChildren(QLabel)}
    shown = [labels[f"letter {edge}"] for edge in ("left", "right", "top", "bottom")]
    return "".join(label.text() for label in shown if label.isVisible())


def test_each_plane_is_upright_with_its_letters(bar: ViewBar) -> None:
    viewer = viewer_of(bar)
    for directions in ("SPL", "LIP", "PIL", "SAL", "IPL"):
        viewer.layers.clear()
        image = add(bar, scan(directions))
        for text, expected in UPRIGHT.items():
            click(bar, text)
            assert letters(bar) == expected, directions
            assert [b.text() for b in bar.planes if b.isChecked()] == [text]
            # What lies at the top of the screen is so by the affine of the scan too.
            down, right = map(str, camera_of(viewer).orientation2d)
            vertical, horizontal = viewer.dims.displayed
            towards = {"bottom": directions[vertical], "right": directions[horizontal]}
            assert (towards["bottom"] == expected[3]) == (down == "down"), directions
            assert (towards["right"] == expected[1]) == (right == "right"), directions
        # in the proportions of the voxels
        np.testing.assert_allclose(image.scale, (3, 2, 1), err_msg=directions)


def test_a_file_is_upright_whatever_the_order_of_its_axes(bar: ViewBar, tmp_path: Path) -> None:
    path = tmp_path / "ras.nii.gz"
    nib.save(nib.Nifti1Image(np.zeros((4, 5, 6), np.int16), np.diag([2.0, 2.0, 3.0, 1.0])), path)
    add(bar, read_nifti(path))
    assert letters(bar) == UPRIGHT["Axial"]
    click(bar, "Sagittal")
    assert letters(bar) == UPRIGHT["Sagittal"]


def test_letters_can_be_turned_off_for_good(bar: ViewBar, dock: Callable[[type], Any]) -> None:
    add(bar, scan("SPL"))
    click(bar, "L R")
    assert letters(bar) == ""
    other: ViewBar = dock(ViewBar)
    assert not other.letters.isChecked()
    click(bar, "L R")
    assert letters(bar) == UPRIGHT["Axial"]


def test_without_an_orientation_there_are_planes_but_no_letters(bar: ViewBar) -> None:
    viewer_of(bar).add_image(np.zeros(SHAPE), name="plain")
    assert [b.text() for b in bar.planes] == ["XY", "XZ", "YZ"]
    click(bar, "XZ")
    assert viewer_of(bar).dims.order == (1, 0, 2)
    assert letters(bar) == ""


def test_what_is_no_volume_has_no_planes(bar: ViewBar) -> None:
    layers = viewer_of(bar).layers
    for kind, shape in {"slice": SHAPE[1:], "images": SHAPE, "many axes": (2,) * 12}.items():
        layers.clear()
        add(bar, scan("SPL"))
        assert all(b.isEnabled() for b in bar.planes)
        layers.clear()
        record = LayerRecord(independent=kind == "images")
        viewer_of(bar).add_image(np.zeros(shape), metadata=record.as_metadata())
        assert not any(b.isEnabled() for b in bar.planes), kind
        assert "need a volume" in bar.planes[0].toolTip()


def test_a_turned_layer_has_no_letters(bar: ViewBar) -> None:
    image = add(bar, scan("SPL"))
    image.affine = np.diag([1.0, -1.0, 1.0, 1.0])
    bar.refresh()
    assert letters(bar) == ""


def test_letters_follow_a_roll_and_vanish_in_3d(bar: ViewBar) -> None:
    add(bar, scan("SPL"))
    viewer = viewer_of(bar)
    viewer.dims.order = (1, 0, 2)  # as napari's own buttons do
    assert letters(bar) == UPRIGHT["Coronal"]
    viewer.dims.ndisplay = 3
    assert letters(bar) == ""
    # Slices grow up, rows to the back and columns to the left: no right-handed set of axes.
    viewer.dims.order = (0, 1, 2)
    assert str(camera_of(viewer).handedness) == "left"
    viewer.dims.ndisplay = 2
    assert letters(bar) == UPRIGHT["Axial"]


def test_labels_drawn_by_hand_lie_as_their_image(bar: ViewBar) -> None:
    image = add(bar, scan("SPL"))
    viewer = viewer_of(bar)
    viewer.add_labels(
        np.zeros(SHAPE, np.uint8), name="new", scale=image.scale, translate=image.translate
    )
    assert letters(bar) == UPRIGHT["Axial"]


def test_letters_stay_at_the_edges(bar: ViewBar, qtbot: QtBot) -> None:
    add(bar, scan("SPL"))
    canvas = canvas_of(viewer_of(bar))
    left, right = (canvas.findChild(QLabel, f"letter {edge}") for edge in ("left", "right"))
    viewer_of(bar).window.resize(900, 600)
    qtbot.waitUntil(lambda: canvas.width() - right.geometry().right() < 12)
    assert left.geometry().left() < 12
    assert abs(left.geometry().center().y() - canvas.height() / 2) <= 2
