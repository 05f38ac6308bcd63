from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from napari.layers import Image
from napari.utils._proxies import PublicOnlyProxy
from plans import accept_plan

from napari_unet_seg._napari.files.reader import scan_layers
from napari_unet_seg._napari.layers.conversion import add_labels
from napari_unet_seg._napari.layers.images.channels import show_channel
from napari_unet_seg._napari.review.widget import ReviewWidget
from napari_unet_seg._napari.segment.widget import SegmentWidget
from napari_unet_seg.config import Category
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.read import read_scan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari.layers import Labels
    from pytestqt.qtbot import QtBot

CATEGORIES = (Category(id=1, name="tumour"),)
NAMES = ["a · T2", "a · FLAIR", "a · T1"]


@pytest.fixture
def pixels() -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).integers(0, 999, (3, 4, 20, 24), np.uint16)


@pytest.fixture
def widget(
    dock: Callable[[type], Any], tmp_path: Path, pixels: np.ndarray[Any, Any], qtbot: QtBot
) -> ReviewWidget:
    """A folder of two scans of three channels is gone through, the first one is shown."""
    (tmp_path / "scans").mkdir()
    how = {"axes": "CZYX", "Channel": {"Name": ["T1", "FLAIR", "T2"]}}
    for name in ("a.ome.tif", "b.ome.tif"):
        tifffile.imwrite(tmp_path / "scans" / name, pixels, ome=True, metadata=how)
    widget: ReviewWidget = dock(ReviewWidget)
    widget.bar.folder.setValue(tmp_path / "sessions" / "any")
    widget.scans.open_folder(tmp_path / "scans")
    accept_plan(qtbot)
    qtbot.waitUntil(lambda: len(images(widget)) == 3)
    return widget


def images(widget: ReviewWidget) -> list[str]:
    return [layer.name for layer in widget.viewer.layers if isinstance(layer, Image)]


def draw_on(qtbot: QtBot, widget: ReviewWidget, name: str) -> Labels:
    """Put a mask over a channel, on which a session starts."""
    image = widget.viewer.layers[name]
    with qtbot.waitSignal(widget.desk.session_changed):
        mask = add_labels(widget.viewer, np.ones((4, 20, 24), np.uint8), image, CATEGORIES, "mask")
    qtbot.waitUntil(lambda: not widget.desk.busy)
    return mask


def test_the_first_channel_is_shown_and_proposed_and_each_has_its_name(
    widget: ReviewWidget,
) -> None:
    viewer = widget.viewer
    assert images(widget) == NAMES
    assert [layer.visible for layer in viewer.layers] == [False, False, True]
    assert viewer.layers.selection.active is viewer.layers["a · T1"]
    assert widget.image_combo.layer() is viewer.layers["a · T1"]


def test_the_session_is_on_the_channel_that_was_segmented(
    qtbot: QtBot, widget: ReviewWidget, pixels: np.ndarray[Any, Any]
) -> None:
    draw_on(qtbot, widget, "a · FLAIR")
    reviewing = widget.desk.current
    assert reviewing is not None
    assert reviewing.image.name == "a · FLAIR"
    np.testing.assert_array_equal(np.asarray(reviewing.session.scan.data), pixels[1])


def test_a_session_on_a_channel_comes_back_with_the_other_channels(
    qtbot: QtBot, widget: ReviewWidget, pixels: np.ndarray[Any, Any]
) -> None:
    for layer in widget.viewer.layers:
        layer.scale = (3, 0.5, 0.5)
    draw_on(qtbot, widget, "a · FLAIR")
    widget.scans.bar.next_button.click()
    qtbot.waitUntil(lambda: images(widget) == [name.replace("a", "b", 1) for name in NAMES])
    with qtbot.waitSignal(widget.desk.session_changed):
        widget.scans.bar.previous_button.click()
    qtbot.waitUntil(lambda: not widget.desk.busy)

    assert sorted(images(widget)) == sorted(NAMES)
    for channel, name in enumerate(("a · T1", "a · FLAIR", "a · T2")):
        layer = widget.viewer.layers[name]
        np.testing.assert_array_equal(np.asarray(layer.data), pixels[channel])
        assert layer.visible == (name == "a · FLAIR")
        assert tuple(layer.scale) == (3, 0.5, 0.5)
    assert widget.current_image is widget.viewer.layers["a · FLAIR"]
    assert widget.session is not None
    with qtbot.waitSignal(widget.desk.session_changed):
        widget.scans.bar.next_button.click()
    qtbot.waitUntil(lambda: len(images(widget)) == 3)
    assert all(name.startswith("b") for name in images(widget))
    # What was segmented in the one scan is proposed in the next.
    assert [layer.visible for layer in widget.viewer.layers] == [False, True, False]
    assert widget.viewer.layers.selection.active is widget.viewer.layers["b · FLAIR"]


@pytest.mark.parametrize("now", ["gone", "a colour picture"])
def test_a_session_on_a_channel_comes_back_where_its_scan_is_not_what_it_was(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path, now: str
) -> None:
    draw_on(qtbot, widget, "a · FLAIR")
    assert widget.session is not None
    folder = widget.session.folder
    widget.scans.close()
    widget.desk.close()
    widget.viewer.layers.clear()
    file = tmp_path / "scans" / "a.ome.tif"
    file.unlink()
    if now != "gone":
        tifffile.imwrite(file, np.zeros((4, 20, 24, 3), np.uint8), photometric="rgb")
    with qtbot.waitSignal(widget.desk.session_changed):
        widget.desk.open(folder)
    qtbot.waitUntil(lambda: not widget.desk.busy)
    assert images(widget) == ["a · FLAIR"]


def test_a_mask_chosen_by_hand_brings_the_channel_that_it_was_drawn_on(
    qtbot: QtBot, widget: ReviewWidget
) -> None:
    mask = draw_on(qtbot, widget, "a · T2")
    widget.desk.close()
    widget.image_combo.setLayer(widget.viewer.layers["a · T1"])
    widget.mask_combo.layerChanged.emit(mask)
    assert widget.image_combo.layer() is widget.viewer.layers["a · T2"]


def test_channels_of_a_hyperstack_are_no_colours(tmp_path: Path) -> None:
    pixels = np.zeros((3, 4, 20, 24), np.uint8)
    how: dict[str, Any] = {"axes": "CZYX"}
    tifffile.imwrite(tmp_path / "nameless.ome.tif", pixels, ome=True, metadata=how)
    how["Channel"] = {"Name": ["T1", "FLAIR", "T2"]}
    tifffile.imwrite(tmp_path / "a.ome.tif", pixels, ome=True, metadata=how)
    layers = scan_layers(read_scan(tmp_path / "a.ome.tif"), "a")
    assert [options["name"] for _, options, _ in layers] == NAMES
    layers = scan_layers(read_scan(tmp_path / "nameless.ome.tif"), "a")
    assert [options["name"] for _, options, _ in layers] == [f"a · channel {n}" for n in (3, 2, 1)]
    tifffile.imwrite(tmp_path / "rgb.tif", np.zeros((20, 24, 3), np.uint8), photometric="rgb")
    ((_, options, _),) = scan_layers(read_scan(tmp_path / "rgb.tif"), "a")
    assert options["rgb"]


def test_the_channel_that_is_segmented_is_shown(qtbot: QtBot, dock: Callable[[type], Any]) -> None:
    widget: SegmentWidget = dock(SegmentWidget)
    viewer = widget.viewer
    scan = Scan(np.random.default_rng(0).random((48, 48, 2), np.float32), "YXC")
    for data, options, _ in scan_layers(scan, "a"):
        viewer.add_image(data, **options)
    first, second = viewer.layers["a · channel 1"], viewer.layers["a · channel 2"]
    assert (first.visible, second.visible) == (True, False)
    with qtbot.waitSignal(widget.finished):
        widget.segment_layer(second)
    assert (first.visible, second.visible) == (False, True)


def test_a_channel_is_shown_in_the_viewer_that_napari_gives_to_docks() -> None:
    viewer = ViewerModel()
    for data, options, _ in scan_layers(Scan(np.zeros((8, 9, 3), np.float32), "YXC"), "a"):
        viewer.add_image(data, **options)
    given = PublicOnlyProxy(viewer)  # whose layers are proxies, each time others
    show_channel(given, given.layers["a · channel 2"])
    assert [layer.visible for layer in viewer.layers] == [False, True, False]
