"""A mask of a sagittal series that was saved as NIfTI, and opened beside its series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pytest
from dicom_files import write_sagittal

from napari_unet_seg._napari.review.widget import ReviewWidget
from napari_unet_seg._napari.train.source import source_from_layers
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg.io.dicom.series import read_dicom
from napari_unet_seg.io.write import write_mask

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

SHAPE = (4, 24, 30)
LABELS = np.zeros(SHAPE, np.uint8)
LABELS[1:3, 4:9, 10:22], LABELS[2, 15:20, 3:9] = 1, 2
CATEGORIES = {"categories": [{"id": 7, "name": "tumour"}, {"id": 9, "name": "oedema"}]}


@pytest.fixture
def widget(dock: Callable[[type], Any], tmp_path: Path) -> ReviewWidget:
    """The series, and its mask as another program stores it again."""
    widget: ReviewWidget = dock(ReviewWidget)
    series = write_sagittal(tmp_path / "series", SHAPE[0], SHAPE[1:])
    path = tmp_path / "mask.nii.gz"
    write_mask(path, LABELS, read_dicom(series), CATEGORIES)
    nib.save(nib.as_closest_canonical(nib.load(path)), path)
    for opened in (series, path):
        widget.viewer.open(opened, plugin="napari-unet-seg")
    return widget


def test_a_session_starts_on_its_scan(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path, notifications: list[str]
) -> None:
    image, mask = widget.viewer.layers
    widget.desk.start(image, mask, tmp_path / "s")
    qtbot.waitUntil(lambda: widget.session is not None)
    assert mask.name in notifications[0]
    assert "was turned to the axes of" in notifications[0]
    np.testing.assert_array_equal(mask.data, LABELS)
    np.testing.assert_array_equal(mask.data_to_world((1, 2, 3)), image.data_to_world((1, 2, 3)))
    np.testing.assert_array_equal(widget.session.load_mask(), LABELS)
    assert [c.name for c in widget.session.categories] == ["tumour", "oedema"]


def test_training_on_layers_takes_it_without_a_change(widget: ReviewWidget) -> None:
    image, mask = widget.viewer.layers
    before = mask.data
    source = source_from_layers(image, mask, only_labelled=True)
    np.testing.assert_array_equal(source.labels, LABELS)
    assert source.note == ""
    assert mask.data is before


def test_it_is_compared_with_a_mask_of_the_series(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path
) -> None:
    image, mask = widget.viewer.layers
    widget.viewer.open(tmp_path / "mask.nii.gz", plugin="napari-unet-seg")
    other = widget.viewer.layers[-1]
    widget.desk.start(image, other, tmp_path / "s")
    qtbot.waitUntil(lambda: widget.session is not None and not widget.desk.busy)
    widget.tabs.setCurrentWidget(widget.compare)
    widget.compare.a.setLayer(mask)
    widget.compare.b.setLayer(other)
    qtbot.waitUntil(lambda: not jobs.active_jobs())
    with qtbot.waitSignal(widget.compare.compared) as signal:
        widget.compare.measure_whole()
    (result,) = signal.args
    assert [row.counts.dice for row in result.rows] == [1, 1, 1]
    qtbot.waitUntil(lambda: not jobs.active_jobs())
