"""Sessions on images of any kind that napari shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sessions import start_session

from napari_unet_seg._napari.review.widget import ReviewWidget

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

RANDOM = np.random.default_rng(0)


def reopen(qtbot: QtBot, widget: ReviewWidget, folder: Path) -> Any:
    """Close the session and take its layers away; return the image that comes back."""
    widget.desk.close()
    widget.viewer.layers.clear()
    with qtbot.waitSignal(widget.desk.session_changed):
        widget.desk.open(folder)
    qtbot.waitUntil(lambda: not widget.desk.busy)
    return widget.viewer.layers["head"]


@pytest.mark.parametrize(
    ("dtype", "shape"),
    [("float32", (4, 32, 40, 3)), ("uint16", (4, 32, 40, 4)), ("uint16", (32, 40, 3))],
)
def test_colours_of_any_type_come_back_as_colours(
    qtbot: QtBot,
    dock: Callable[[type], Any],
    tmp_path: Path,
    dtype: str,
    shape: tuple[int, ...],
) -> None:
    widget: ReviewWidget = dock(ReviewWidget)
    top = 1 if dtype == "float32" else 60_000
    colours = (RANDOM.random(shape) * top).astype(dtype)
    widget.viewer.add_image(colours, rgb=True, name="head")
    widget.viewer.add_labels(np.zeros(shape[:-1], np.uint8), name="head mask")
    start_session(qtbot, widget, tmp_path / "s")
    image = reopen(qtbot, widget, tmp_path / "s")
    assert image.rgb
    assert image.data.dtype == dtype
    np.testing.assert_array_equal(np.asarray(image.data), colours)
    assert widget.viewer.layers["head mask"].data.shape == shape[:-1]


@pytest.mark.parametrize("dtype", ["int64", "uint64", "float16"])
def test_images_of_any_type_start_sessions(
    qtbot: QtBot, dock: Callable[[type], Any], tmp_path: Path, dtype: str
) -> None:
    widget: ReviewWidget = dock(ReviewWidget)
    pixels = RANDOM.integers(0, 200, (4, 32, 40)).astype(dtype)
    widget.viewer.add_image(pixels, name="head")
    widget.viewer.add_labels(np.zeros(pixels.shape, np.uint8), name="head mask")
    start_session(qtbot, widget, tmp_path / "s")
    np.testing.assert_array_equal(reopen(qtbot, widget, tmp_path / "s").data, pixels)


def test_an_image_that_cannot_be_stored_is_told_by_its_name(
    qtbot: QtBot, dock: Callable[[type], Any], tmp_path: Path, notifications: list[str]
) -> None:
    widget: ReviewWidget = dock(ReviewWidget)
    widget.viewer.add_image(np.array([[0, 2**40]], np.int64), name="head")
    widget.viewer.add_labels(np.zeros((1, 2), np.uint8), name="head mask")
    widget.bar.folder.setValue(tmp_path / "s")
    widget.bar.start_button.click()
    qtbot.waitUntil(lambda: not widget.desk.busy)
    (told,) = notifications
    assert told.startswith("The image head holds int64 numbers")
    assert widget.session is None
