"""The whole loop through a real window: segment, correct by mouse, save, fine-tune."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
from mouse import stroke
from pycocotools.coco import COCO

from napari_unet_seg._napari.dock.save_target import COCO as COCO_FILE
from napari_unet_seg._napari.dock.save_target import TIFF, Format
from napari_unet_seg._napari.dock.step_bar import Step
from napari_unet_seg._napari.dock.widget import UNetSegWidget
from napari_unet_seg._napari.files.save_dialog import SaveDialog
from napari_unet_seg._napari.layers.layer_record import record_of
from napari_unet_seg._napari.segment import chosen_model
from napari_unet_seg.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from napari_unet_seg._napari.segment.widget import SegmentWidget

pytestmark = pytest.mark.usefixtures("dask_without_threads")


def segment(qtbot: QtBot, widget: SegmentWidget, image: Any) -> Any:
    widget.form.image_combo.setLayer(image)
    widget.form.setWhole(False)
    with qtbot.waitSignal(widget.finished) as done:
        widget.form.segment_button.click()
    return done.args[0]


def save(
    qtbot: QtBot, dock: UNetSegWidget, kind: Format, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = dock.save_page
    monkeypatch.setattr(SaveDialog, "ask", lambda *_, **__: (str(path), ""))
    dock.show_step(Step.SAVE)
    page.setFormat(kind)
    with qtbot.waitSignal(dock.correct.written):
        page.browse_button.click()
    qtbot.waitUntil(page.browse_button.isEnabled)


@pytest.mark.slow
@pytest.mark.own_process
def test_the_loop(
    qtbot: QtBot,
    make_napari_viewer: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    notifications: list[str],
) -> None:
    viewer = make_napari_viewer(show=True)
    dock = UNetSegWidget(viewer)
    segmenter, reviewer = dock.segment, dock.correct
    viewer.window.add_dock_widget(dock)
    qtbot.waitExposed(dock.window())

    # Open the sample and segment one image of it.
    image, truth = viewer.open_sample("napari-unet-seg", "coco")
    truth.visible = False
    mask = segment(qtbot, segmenter, image)
    assert mask in viewer.layers
    predicted = mask.data.copy()

    # Start a session on it and paint with the mouse.
    assert reviewer.image_combo.layer() is image
    assert reviewer.mask_combo.layer() is mask
    reviewer.bar.folder.setValue(tmp_path / "session")
    with qtbot.waitSignal(reviewer.desk.session_changed):
        dock.steps.buttons[Step.CORRECT].click()
    qtbot.waitUntil(lambda: not reviewer.desk.busy)
    shown = reviewer.desk.current.shown.index
    mask.mode, mask.selected_label, mask.brush_size = "paint", 1, 9
    stroke(qtbot, viewer, (60, 60), (60, 90))
    painted = mask.data[shown].copy()
    drawn = painted != predicted[shown]
    assert drawn[60, 60:90].all()
    assert 200 < drawn.sum() < 600
    qtbot.waitUntil(lambda: reviewer.review.changes.text().startswith(f"+{drawn.sum()} "))
    mask.undo()
    np.testing.assert_array_equal(mask.data[shown], predicted[shown])
    mask.redo()
    np.testing.assert_array_equal(mask.data[shown], painted)

    # Accept it and, after another stroke, the next one.
    for _ in range(2):
        with qtbot.waitSignal(reviewer.desk.current.autosave.saved):
            reviewer.review.buttons["accept"].click()
        stroke(qtbot, viewer, (70, 60), (70, 80))
    assert Session.open(tmp_path / "session").accepted == tuple(
        sorted((shown, (shown + 1) % len(mask.data)))
    )

    # Save, and read the files back with other programs' libraries.
    save(qtbot, dock, TIFF, tmp_path / "mask.tif", monkeypatch)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "mask.tif"), mask.data)
    save(qtbot, dock, COCO_FILE, tmp_path / "mask.json", monkeypatch)
    coco = COCO(str(tmp_path / "mask.json"))
    found = {i["file_name"]: i["id"] for i in coco.imgs.values()}[reviewer.session.name_of(shown)]
    from_coco = np.zeros(painted.shape, bool)
    for annotation in coco.loadAnns(coco.getAnnIds(imgIds=found)):
        from_coco |= coco.annToMask(annotation).astype(bool)
    np.testing.assert_array_equal(from_coco, painted > 0)

    # Fine-tune: the plot moves, the new model is chosen, the Dice before and after is told.
    fine_tune = reviewer.fine_tune
    dock.show_step(Step.CORRECT)
    reviewer.tabs.setCurrentWidget(fine_tune)
    fine_tune.form.editor("epochs").value = 1
    curve = fine_tune.panel.plot.step_curve
    with qtbot.waitSignal(fine_tune.finished) as done:
        fine_tune.start_button.click()
        qtbot.waitUntil(lambda: curve.xData is not None and len(curve.xData) > 0)
    qtbot.waitUntil(lambda: not fine_tune.panel.running)
    finished, _ = done.args
    new_model = tmp_path / "session" / finished.checkpoint
    assert chosen_model.current_model() == new_model
    assert segmenter.form.model_choice.value() == new_model
    assert finished.held_out == 1
    assert (
        f"Dice on 1 held-out slice {finished.before:.3f} → {finished.after:.3f}"
        in (notifications[-1])
    )

    # The next image is segmented by the new model.
    again = segment(qtbot, segmenter, image)
    assert record_of(again).model.path == str(new_model)
