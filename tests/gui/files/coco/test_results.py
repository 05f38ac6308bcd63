"""A model's results dropped onto the window: on the open data set, with a threshold."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from napari.components import ViewerModel
from PIL import Image as Picture
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_unet_seg._napari.dock.widget import UNetSegWidget
from napari_unet_seg._napari.files.coco.results.dialog import ResultsDialog
from napari_unet_seg._napari.layers.conversion import categories_of
from napari_unet_seg._napari.layers.images.owner import image_of
from napari_unet_seg._napari.review.widget import ReviewWidget
from napari_unet_seg.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PLUGIN = "napari-unet-seg"

pytestmark = pytest.mark.usefixtures("only_this_plugin")


def box(left: int) -> list[list[int]]:
    return [[left, 2, left + 4, 2, left + 4, 6, left, 6]]


def pixels(left: int) -> np.ndarray:
    mask = np.zeros((12, 16), np.uint8)
    mask[2:6, left : left + 4] = 1
    return mask


RESULTS = [
    {"image_id": 7, "category_id": 9, "score": 0.8, "segmentation": box(0)},
    {"image_id": 8, "category_id": 4, "score": 0.625, "segmentation": box(4)},
    {"image_id": 8, "category_id": 4, "score": 0.25, "segmentation": box(8)},
    {"image_id": 8, "category_id": 4, "score": 0.75, "bbox": [10, 2, 4, 4]},
    {"image_id": 99, "category_id": 4, "score": 0.8, "segmentation": box(0)},
]


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    for name in ("a", "b"):
        Picture.fromarray(np.full((12, 16), 90, np.uint8)).save(tmp_path / f"{name}.png")
    document = {
        "images": [
            {"id": i, "file_name": f"{name}.png", "width": 16, "height": 12}
            for i, name in ((7, "a"), (8, "b"))
        ],
        "categories": [{"id": 4, "name": "lesion"}, {"id": 9, "name": "oedema"}],
        "annotations": [{"id": 1, "image_id": 7, "category_id": 4, "segmentation": box(1)}],
    }
    path = tmp_path / "set.json"
    path.write_text(json.dumps(document))
    (tmp_path / "predictions.json").write_text(json.dumps(RESULTS))
    return path


@pytest.fixture
def results(coco: Path) -> Path:
    return coco.with_name("predictions.json")


def answer(act: Callable[[ResultsDialog], None]) -> None:
    """Do something with the dialog once it is open, as a person would."""

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, ResultsDialog):
            act(dialog)
        else:
            QTimer.singleShot(20, look)

    QTimer.singleShot(20, look)


def test_results_are_a_second_mask_of_the_open_data_set(
    coco: Path,
    results: Path,
    make_napari_viewer: Callable[..., Any],
    notifications: list[str],
    qtbot: Any,
) -> None:
    viewer = make_napari_viewer()
    image, mask = viewer.open(coco, plugin=PLUGIN)
    counts = []

    def choose(dialog: ResultsDialog) -> None:
        for threshold in (0.7, 0.5):
            dialog.threshold.setValue(threshold)
            counts.append(dialog.count.text())
        dialog.boxes.setChecked(True)
        counts.append(dialog.count.text())
        dialog.boxes.setChecked(False)
        qtbot.mouseClick(dialog.open_button, Qt.MouseButton.LeftButton)

    answer(choose)
    viewer.window._qt_viewer._qt_open([str(results)], stack=False)
    assert counts == ["1 of 4 results", "2 of 4 results", "3 of 4 results"]
    predicted = viewer.layers[-1]
    assert [layer.name for layer in viewer.layers] == ["set", "set mask", "set · predictions"]
    np.testing.assert_array_equal(predicted.data, [2 * pixels(0), pixels(4)])
    assert categories_of(predicted) == categories_of(mask)
    assert image_of(predicted, [image]) is image
    assert "1 result of images that the data set does not have: 99" in notifications[-1]


def test_single_results_have_their_score_in_the_table(
    coco: Path, results: Path, make_napari_viewer: Callable[..., Any], notifications: list[str]
) -> None:
    viewer = make_napari_viewer()
    viewer.open(coco, plugin=PLUGIN)

    def choose(dialog: ResultsDialog) -> None:
        dialog.values.setCurrentIndex(dialog.values.findData("instances"))
        dialog.threshold.setValue(0)
        dialog.boxes.setChecked(True)
        dialog.open_button.click()

    answer(choose)
    (layer,) = viewer.open(results, plugin=PLUGIN)
    assert layer.features["score"].tolist() == [None, 0.8, 0.25, 0.625, 0.75]
    assert layer.features["category"].tolist() == ["background", "oedema", *["lesion"] * 3]
    np.testing.assert_array_equal(layer.data[0], pixels(0))
    viewer.dims.set_point(0, 1)
    status = layer.get_status((1, 3, 5), view_direction=np.array([1.0, 0, 0]), world=True)
    assert "score: 0.625" in status["coordinates"]
    assert notifications


@pytest.mark.parametrize("values", ["classes", "instances"])
def test_the_threshold_of_an_open_mask_can_be_changed_until_it_is_edited(
    coco: Path,
    results: Path,
    dock: Callable[[type], Any],
    qtbot: Any,
    notifications: list[str],
    values: str,
) -> None:
    widget = dock(UNetSegWidget)
    viewer, bar = widget.viewer, widget.results
    viewer.open(coco, plugin=PLUGIN)
    assert bar.isHidden()

    def choose(dialog: ResultsDialog) -> None:
        dialog.values.setCurrentIndex(dialog.values.findData(values))
        dialog.open_button.click()

    answer(choose)
    (mask,) = viewer.open(results, plugin=PLUGIN)
    assert not bar.isHidden()
    assert (bar.threshold.value(), bar.count.text()) == (0.5, "2 of 4 results")
    before, rows = mask.data.copy(), len(mask.features)
    bar.threshold.setValue(0.2)
    qtbot.waitUntil(lambda: bar.count.text() == "3 of 4 results")
    np.testing.assert_array_equal(mask.data[1] > 0, pixels(4) | pixels(8))
    np.testing.assert_array_equal(mask.data[before > 0], before[before > 0])
    if values == "instances":
        assert sorted(mask.features["score"].tolist()[1:]) == [0.25, 0.625, 0.8]
    mask.undo()
    assert (bar.threshold.value(), bar.count.text()) == (0.5, "2 of 4 results")
    assert len(mask.features) == rows
    np.testing.assert_array_equal(mask.data, before)
    mask.redo()
    assert (bar.threshold.value(), bar.count.text()) == (pytest.approx(0.2), "3 of 4 results")
    mask.paint((0, 1, 1), 1)
    assert not bar.threshold.isEnabled()
    assert bar.count.text().startswith("edited")
    mask.undo()
    assert bar.threshold.isEnabled()
    assert notifications


def test_results_start_a_session(
    coco: Path,
    results: Path,
    tmp_path: Path,
    dock: Callable[[type], Any],
    qtbot: Any,
    notifications: list[str],
) -> None:
    widget: ReviewWidget = dock(ReviewWidget)
    image, _ = widget.viewer.open(coco, plugin=PLUGIN)
    answer(lambda dialog: dialog.open_button.click())
    (mask,) = widget.viewer.open(results, plugin=PLUGIN)
    widget.desk.start(image, mask, tmp_path / "s")
    qtbot.waitUntil(lambda: widget.session is not None and not widget.desk.busy)
    np.testing.assert_array_equal(widget.session.prediction, [2 * pixels(0), pixels(4)])
    assert notifications


def test_without_the_data_set_it_is_asked_for_and_opened_too(
    coco: Path,
    results: Path,
    make_napari_viewer: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    notifications: list[str],
) -> None:
    viewer = make_napari_viewer()
    chosen = iter([("", ""), (str(coco), "")])
    monkeypatch.setattr(QFileDialog, "getOpenFileName", staticmethod(lambda *_: next(chosen)))
    assert viewer.open(results, plugin=PLUGIN) == []

    answer(lambda dialog: dialog.open_button.click())
    image, _, predicted = viewer.open(results, plugin=PLUGIN)
    np.testing.assert_array_equal(predicted.data[1], pixels(4))
    assert image_of(predicted, [image]) is image
    answer(lambda dialog: dialog.reject())
    assert viewer.open(results, plugin=PLUGIN) == []
    assert len(viewer.layers) == 3
    assert len(notifications) == 1


def test_without_a_window_the_data_set_is_named(results: Path) -> None:
    with pytest.raises(DataError, match=r"predictions\.json .* open its data set first"):
        ViewerModel().open(results, plugin=PLUGIN)


def test_panoptic_annotations_are_refused_with_what_to_do(
    tmp_path: Path, make_napari_viewer: Callable[..., Any], notifications: list[str]
) -> None:
    path = tmp_path / "panoptic.json"
    path.write_text(json.dumps({"annotations": [{"segments_info": []}], "images": []}))
    assert make_napari_viewer().open(path, plugin=PLUGIN) == []
    assert "panoptic COCO" in notifications[-1]
