from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dask.array as da
import numpy as np
import pytest
from napari.utils.key_bindings import KeyBinding
from napari.utils.shortcuts import default_shortcuts
from qtpy.QtWidgets import QShortcut

from napari_unet_seg._napari.layers.conversion import add_labels, categories_of
from napari_unet_seg._napari.layers.geometry import geometry_of
from napari_unet_seg._napari.layers.layer_record import LayerRecord, record_of
from napari_unet_seg._napari.segment import chosen_model
from napari_unet_seg._napari.segment.widget import SegmentWidget
from napari_unet_seg._napari.widgets.key_table import KEYS, key_label
from napari_unet_seg.config import PredictConfig
from napari_unet_seg.events import DeviceFallback, PredictFinished
from napari_unet_seg.io.common.grids.orientation import (
    directions_of,
    turned_back,
    turned_scan,
    view_across,
)
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.models import BUNDLED
from napari_unet_seg.process.warm_engine import WarmEngine, scan_part

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot


@pytest.fixture
def widget(dock: Callable[..., Any]) -> SegmentWidget:
    return dock(SegmentWidget)


def _head(*leading: int, size: int = 64) -> np.ndarray:
    """Return a bright disc with a brighter one in it."""
    y, x = np.mgrid[:size, :size] / size - 0.5
    head = 100.0 * (np.hypot(y, x) < 0.4) + 150.0 * (np.hypot(y - 0.1, x) < 0.12)
    return np.broadcast_to(head, (*leading, size, size)).copy()


def _segment(qtbot: QtBot, widget: SegmentWidget, layer: Any = None) -> Any:
    with qtbot.waitSignal(widget.finished) as waiter:
        widget.segment_layer(layer)
    return waiter.args[0]


@pytest.mark.usefixtures("dask_without_threads")
def test_every_kind_of_image(widget: SegmentWidget, qtbot: QtBot) -> None:
    viewer = widget.viewer
    with_nan = _head()
    with_nan[:3] = np.nan
    kinds = {
        "uint8": viewer.add_image(_head().astype(np.uint8)),
        "bool": viewer.add_image(_head() > 50),
        "int32, negative": viewer.add_image(_head().astype(np.int32) - 1000),
        "float with NaN": viewer.add_image(with_nan, contrast_limits=(0, 250)),
        "16 px": viewer.add_image(_head(size=16)),
        "colour": viewer.add_image(np.stack([_head().astype(np.uint8)] * 3, -1), rgb=True),
        "volume": viewer.add_image(_head(3)),
        "colour stack": viewer.add_image(np.zeros((2, 32, 32, 4), np.uint8), rgb=True),
        "series of volumes": viewer.add_image(_head(2, 2, size=32)),
        "lazy": viewer.add_image(da.from_array(_head(3), chunks=(1, 64, 64))),
        "lazy, unpicklable": viewer.add_image(
            da.from_array(_head(3), chunks=(1, 64, 64)).map_blocks(lambda block: block + 0)
        ),
        "multiscale": viewer.add_image([_head(size=128), _head()], multiscale=True),
    }
    for name, image in kinds.items():
        mask = _segment(qtbot, widget, image)
        data = image.data[0] if image.multiscale else image.data
        assert mask is not None, f"{name}: {widget.form.status.text()}"
        assert mask.data.shape == data.shape[: image.ndim], name
        assert mask.data.dtype == np.uint8, name


def test_mask_has_geometry_categories_and_origin(widget: SegmentWidget, qtbot: QtBot) -> None:
    viewer = widget.viewer
    image = viewer.add_image(
        _head(2), scale=(3, 0.5, 0.5), translate=(1, 2, 3), units=("mm",) * 3, name="head"
    )
    mask = _segment(qtbot, widget)

    for name, value in geometry_of(image).items():
        assert np.array_equal(np.asarray(getattr(mask, name)), np.asarray(value)), name
    assert mask.name == "head mask"
    assert categories_of(mask)
    assert record_of(mask).model.path == str(BUNDLED)
    assert len(record_of(mask).model.sha256) == 64
    assert "on CPU" in widget.form.status.text() or "on " in widget.form.status.text()
    assert widget.form.legend.tree.names() == [categories_of(mask)[0].name]


def test_pressing_again_after_an_edit_adds_a_mask(widget: SegmentWidget, qtbot: QtBot) -> None:
    viewer = widget.viewer
    image = viewer.add_image(_head())
    first = _segment(qtbot, widget, image)
    again = _segment(qtbot, widget, image)
    first.paint((5, 5), 1)
    edited = first.data.copy()
    third = _segment(qtbot, widget, image)

    assert again is first
    assert third is not first
    np.testing.assert_array_equal(first.data, edited)


def test_another_mask_of_the_case_is_hidden_and_offered(
    widget: SegmentWidget, qtbot: QtBot
) -> None:
    viewer, card = widget.viewer, widget.form.result
    image, other = viewer.add_image(_head(), name="head"), viewer.add_image(_head(size=32))
    old = add_labels(viewer, np.ones((64, 64), np.uint8), image, (), "from a file")
    apart = add_labels(viewer, np.ones((32, 32), np.uint8), other, (), "of another image")
    case = LayerRecord(case="head", sequence="FLAIR").as_metadata()
    flair = viewer.add_image(_head(), name="FLAIR", metadata=case)
    of_flair = add_labels(viewer, np.ones((64, 64), np.uint8), flair, (), "of FLAIR")
    new = _segment(qtbot, widget, image)
    shown = new.visible, old.visible, of_flair.visible, apart.visible
    assert shown == (True, False, False, True)
    assert card.hidden_text.text() == "2 other masks of this case hidden"
    assert card.show_button.toolTip() == "Show from a file, of FLAIR"
    card.show_button.click()
    assert old.visible
    assert of_flair.visible
    assert card.show_button.isHidden()
    assert _segment(qtbot, widget, image) is new
    assert old.visible, "the user wants to see it"


def test_the_amounts_go_with_an_edit_and_with_an_undone_segmentation(
    widget: SegmentWidget, qtbot: QtBot
) -> None:
    card = widget.form.result
    image = widget.viewer.add_image(_head(3))
    widget.form.setWhole(False)
    mask = _segment(qtbot, widget, image)
    widget.viewer.dims.set_point(0, 2)
    assert _segment(qtbot, widget, image) is mask
    assert card.text.text().startswith("<b>tumour ")
    mask.undo()
    assert card.text.text() == "The mask was edited since."
    assert widget.form.status.text() == ""

    mask = _segment(qtbot, widget, image)
    assert card.text.text() != "The mask was edited since."
    mask.paint((2, 5, 5), 1)
    assert card.text.text() == "The mask was edited since."
    widget.viewer.layers.remove(mask)
    assert card.isHidden()


def test_only_the_shown_slice(widget: SegmentWidget, qtbot: QtBot) -> None:
    viewer = widget.viewer
    image = viewer.add_image(_head(5), scale=(2, 1, 1), translate=(10, 0, 0))
    widget.form.setWhole(False)
    viewer.dims.set_point(0, 16)
    mask = _segment(qtbot, widget, image)

    assert mask.data.shape == (5, 64, 64)
    assert list(record_of(mask).predicted) == [(3,)]


def test_only_the_plane_that_is_shown(widget: SegmentWidget, qtbot: QtBot) -> None:
    viewer = widget.viewer
    image = viewer.add_image(np.moveaxis(_head(9), 0, 1), name="head")
    widget.form.setWhole(False)
    viewer.dims.order = (1, 0, 2)
    viewer.dims.set_point(1, 3)
    mask = _segment(qtbot, widget, image)
    assert mask.data.shape == (64, 9, 64)
    # All slices that the plane crosses count as predicted, so that the next plane joins the mask.
    assert len(record_of(mask).predicted) == 64
    assert not mask.data[:, [0, 1, 2, 4, 5, 6, 7, 8]].any()
    viewer.dims.set_point(1, 5)
    assert _segment(qtbot, widget, image) is mask
    np.testing.assert_array_equal(mask.data[:, 3], mask.data[:, 5])
    mask.data[10, 2, 10] = 1
    assert _segment(qtbot, widget, image) is not mask


@pytest.mark.parametrize("axis", [1, 2], ids=["coronal", "sagittal"])
def test_a_plane_is_segmented_upright_as_on_screen(axis: int) -> None:
    affine = np.diag([-1.0, -1.0, 1.0, 1.0])
    values = np.random.default_rng(0).normal(60, 9, (48, 40, 44)) + _ball((48, 40, 44))
    scan = Scan(values.astype(np.float32), "ZYX", (1.0, 1.0, 1.0), "mm", affine=affine)
    view = view_across(directions_of(scan), axis)
    config = PredictConfig(probabilities=True, device="cpu")
    engine = WarmEngine()
    part = (*[slice(None)] * axis, 22)
    *_, plane = engine.predict(config, BUNDLED, scan, part)
    *_, upright = engine.predict(config, BUNDLED, turned_scan(scan, view), (22,))
    engine.close()
    assert view.flips == (True, False)
    np.testing.assert_array_equal(plane.labels, turned_back(upright.labels, view))
    np.testing.assert_array_equal(plane.probabilities, turned_back(upright.probabilities, view))


def _ball(shape: tuple[int, ...]) -> np.ndarray:
    z, y, x = np.indices(shape)
    ball: np.ndarray = 100.0 * ((z - 30) ** 2 + (y - 16) ** 2 + (x - 22) ** 2 < 90)
    return ball


def test_beyond_the_image_no_slice_is_segmented(
    widget: SegmentWidget, notifications: list[str]
) -> None:
    viewer = widget.viewer
    viewer.add_image(_head(9))
    image = viewer.add_image(_head(5), name="short")
    viewer.dims.set_point(0, 8)
    widget.form.image_combo.setLayer(image)
    widget.form.setWhole(False)
    widget.segment_layer()

    assert widget.form.status.text() == notifications[-1]
    assert notifications[-1].startswith("No slice of short is on screen")
    assert len(viewer.layers) == 2


def test_volumes_are_segmented_whole_and_data_sets_image_by_image(
    widget: SegmentWidget,
) -> None:
    viewer = widget.viewer
    viewer.add_image(_head())
    assert widget.form.extent_combo.isHidden()
    viewer.add_image(_head(3))
    assert widget.form.whole()
    viewer.add_image(_head(3), metadata=LayerRecord(independent=True).as_metadata())
    assert not widget.form.whole()
    assert not widget.form.extent_combo.isHidden()


def test_maps_on_request_are_renewed_with_the_mask(widget: SegmentWidget, qtbot: QtBot) -> None:
    viewer = widget.viewer
    image = viewer.add_image(_head(2), scale=(2, 1, 1), name="head")
    config = PredictConfig(probabilities=True, uncertainty=True, carry="never")
    widget.form.config_form.setValue(config)
    mask = _segment(qtbot, widget, image)
    names = [layer.name for layer in viewer.layers]
    _segment(qtbot, widget, image)
    category = categories_of(mask)[0].name

    assert names == [
        "head",
        f"head mask · probability of {category}",
        "head mask · uncertainty in bits",
        "head mask",
    ]
    assert [layer.name for layer in viewer.layers] == names
    probability = viewer.layers[names[1]]
    assert tuple(probability.scale) == (2, 1, 1)
    np.testing.assert_array_equal(probability.data >= 0.5, mask.data == 1)
    assert widget.form.image_combo.layers == (image,)


def test_stop_leaves_the_layers_as_they_are(widget: SegmentWidget, qtbot: QtBot) -> None:
    viewer = widget.viewer
    viewer.add_image(_head(300, size=32))
    widget.form.progress.valueChanged.connect(lambda value: value > 0 and widget.stop())

    assert _segment(qtbot, widget) is None
    assert len(viewer.layers) == 1
    assert widget.form.status.text() == "Stopped."
    assert widget.form.segment_button.isEnabled()
    assert not widget.form.stop_button.isEnabled()


def test_closing_the_image_stops_its_segmentation_and_another_one_can_be_segmented(
    widget: SegmentWidget, qtbot: QtBot
) -> None:
    viewer = widget.viewer
    other = viewer.add_image(_head(), name="other")
    closed = viewer.add_image(_head(300, size=32), name="closed")
    widget.form.progress.valueChanged.connect(
        lambda value: value > 0 and closed in viewer.layers and viewer.layers.remove(closed)
    )

    assert _segment(qtbot, widget, closed) is None
    assert widget.form.status.text() == "The image was closed; its mask is discarded."
    assert widget.form.progress.value() < 300
    assert widget.form.image_combo.layer() is other
    assert widget.form.segment_button.isEnabled()
    assert _segment(qtbot, widget) is not None


def test_an_image_too_small_is_told_and_the_form_stays_usable(
    widget: SegmentWidget, qtbot: QtBot, notifications: list[str]
) -> None:
    viewer = widget.viewer
    small = viewer.add_image(np.ones((8, 40)))

    assert _segment(qtbot, widget, small) is None
    assert len(notifications) == 1
    assert "at least 16" in notifications[0]
    assert widget.form.segment_button.isEnabled()
    assert _segment(qtbot, widget, viewer.add_image(_head())) is not None


def test_a_model_that_is_none_is_told(
    widget: SegmentWidget, tmp_path: Path, notifications: list[str]
) -> None:
    widget.viewer.add_image(_head())
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"not a model")
    chosen_model.choose_model(broken)

    assert "not a model" in widget.form.model_text.text()
    widget.segment_layer()
    assert len(notifications) == 1
    assert str(broken) in notifications[0]
    assert widget.form.segment_button.isEnabled()


def test_model_choice_follows_a_finished_training(
    widget: SegmentWidget, make_checkpoint: Callable[..., Path], qtbot: QtBot
) -> None:
    path = make_checkpoint(classes=2, head="softmax")
    chosen_model.choose_model(path)
    choice = widget.form.model_choice

    assert choice.value() == path
    assert choice.currentText().startswith(f"{path.stem} · ")
    assert widget.form.model_text.text().startswith("Finds c0, c1")
    mask = _segment(qtbot, widget, widget.viewer.add_image(_head()))
    assert [c.name for c in categories_of(mask)] == ["c0", "c1"]
    choice.setValue("bundled")
    assert chosen_model.current_model() == BUNDLED


def test_the_active_image_is_chosen_and_stays_when_a_mask_is_active(
    widget: SegmentWidget,
) -> None:
    viewer = widget.viewer
    first, second = viewer.add_image(_head()), viewer.add_image(_head())
    combo = widget.form.image_combo
    assert combo.layer() is second
    viewer.layers.selection.active = first
    assert combo.layer() is first
    viewer.add_labels(np.zeros((64, 64), np.uint8))
    assert combo.layer() is first
    first.name = "another name"
    assert combo.currentText() == "another name"
    viewer.layers.clear()
    assert combo.layer() is None
    assert not widget.form.segment_button.isEnabled()


def test_an_image_that_is_closed_meanwhile(widget: SegmentWidget, qtbot: QtBot) -> None:
    viewer = widget.viewer
    image = viewer.add_image(_head(40, size=32))
    with qtbot.waitSignal(widget.finished) as waiter:
        widget.segment_layer(image)
        viewer.layers.remove(image)

    assert waiter.args == [None]
    assert len(viewer.layers) == 0
    assert "closed" in widget.form.status.text()


def test_fallback_to_another_device_is_said(
    widget: SegmentWidget, notifications: list[str]
) -> None:
    message = "Memory of the GPU ran out; going on with the CPU, which takes longer."
    widget._on_event(DeviceFallback("cpu", 1, message))

    assert widget.form.status.text() == message
    assert notifications == [message]


SHORTCUT = key_label(KEYS["segment"].key)


def shortcuts_of(widget: SegmentWidget) -> list[QShortcut]:
    found = widget.window().findChildren(QShortcut)
    return [shortcut for shortcut in found if shortcut.key().toString() == SHORTCUT]


def test_shortcut_is_free_and_segments(widget: SegmentWidget, qtbot: QtBot) -> None:
    widget.viewer.add_image(_head())
    taken = {
        str(KeyBinding.from_int(key) if isinstance(key, int) else key)
        for keys in default_shortcuts.values()
        for key in keys
    }
    qtbot.waitUntil(lambda: bool(shortcuts_of(widget)))
    (shortcut,) = shortcuts_of(widget)
    assert SHORTCUT not in taken
    assert SHORTCUT in widget.form.segment_button.toolTip()
    with qtbot.waitSignal(widget.finished) as waiter:
        shortcut.activated.emit()
    assert waiter.args[0] is not None


def test_settings_are_remembered(widget: SegmentWidget, dock: Any, qtbot: QtBot) -> None:
    widget.form.config_form.setValue(PredictConfig(threshold=0.3))
    _segment(qtbot, widget, widget.viewer.add_image(_head()))

    other = dock(SegmentWidget)
    assert other.form.config_form.value().threshold == 0.3


@pytest.mark.own_process
def test_closing_ends_the_engine_while_it_warms_up() -> None:
    engine = WarmEngine()
    engine.warm_up(PredictConfig(), BUNDLED)
    engine.close()

    assert not engine.warming
    assert list(engine.predict(PredictConfig(), BUNDLED, Scan(_head(), "YX"), ())) == []


@pytest.mark.own_process
def test_a_prediction_waits_for_the_warming_up() -> None:
    engine = WarmEngine()
    engine.warm_up(PredictConfig(), BUNDLED)
    *_, last = engine.predict(PredictConfig(), BUNDLED, Scan(_head(3), "ZYX"), (1,))
    engine.close()

    assert isinstance(last, PredictFinished)
    assert last.labels.shape == (64, 64)


def test_a_network_that_is_chosen_meanwhile_is_loaded_next(
    qtbot: QtBot, make_checkpoint: Callable[..., Path]
) -> None:
    engine = WarmEngine()
    ready: list[str] = []
    for name, path in (("first", BUNDLED), ("second", make_checkpoint())):
        engine.warm_up(PredictConfig(), path, lambda _, name=name: ready.append(name))
    qtbot.waitUntil(lambda: ready == ["first", "second"])
    engine.close()


def test_a_slice_is_seen_in_the_window_of_its_scan() -> None:
    dark = Scan(_head(3) * np.array([1, 0.1, 1], np.float32)[:, None, None], "ZYX")
    config = PredictConfig(probabilities=True)
    engine = WarmEngine()
    *_, whole = engine.predict(config, BUNDLED, dark, ())
    *_, part = engine.predict(config, BUNDLED, dark, (1,))
    *_, other = engine.predict(config, BUNDLED, Scan(dark.data[1], "YX"), ())
    engine.close()

    np.testing.assert_allclose(part.probabilities[0], whole.probabilities[0, 1], atol=0.01)
    assert np.abs(other.probabilities - part.probabilities).max() > 0.05


def test_cut_takes_one_slice_with_its_name() -> None:
    scan = Scan(_head(3), "NYX", (1, 2, 3), names=("a", "b", "c"))
    part = scan_part(scan, (1,))

    assert (part.axes, part.spacing, part.names) == ("YX", (2, 3), ("b",))
    assert scan_part(scan, ()) is scan
