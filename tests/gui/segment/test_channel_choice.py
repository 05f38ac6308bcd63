"""Several sequences of a case as channels, in Segment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pytest

from napari_unet_seg._napari.files.case_layers import case_layers
from napari_unet_seg._napari.layers.layer_record import LayerRecord
from napari_unet_seg._napari.segment.model_input import channels_for, model_input
from napari_unet_seg._napari.segment.widget import SegmentWidget
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.cases.plan import plan_folder
from napari_unet_seg.models.header import read_header

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

BOTH = ("T1c", "FLAIR")


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """A case whose FLAIR has half as many slices, in the same place."""
    folder, random = tmp_path / "patient7", np.random.default_rng(0)
    folder.mkdir()
    for kind, step in (("t1c", 1), ("flair", 2), ("t2", 1)):
        data = random.integers(1, 900, (32, 30, 6 // step)).astype(np.int16)
        nib.save(nib.Nifti1Image(data, np.diag([1.0, 1, step, 1])), folder / f"{kind}.nii.gz")
    return folder


@pytest.fixture
def widget(dock: Callable[..., Any], case: Path, make_checkpoint: Callable[..., Path]) -> Any:
    found = dock(SegmentWidget)
    for data, options, _ in case_layers(plan_folder(case).cases[0]):
        found.viewer.add_image(data, **options)
    found.form.model_choice.setValue(make_checkpoint(sequences=BOTH))
    return found


def segment(qtbot: QtBot, widget: SegmentWidget) -> Any:
    with qtbot.waitSignal(widget.finished) as waiter:
        widget.form.segment_button.click()
    assert waiter.args[0] is not None, widget.form.status.text()
    return waiter.args[0]


def test_the_channels_are_filled_by_name(widget: SegmentWidget, qtbot: QtBot) -> None:
    layers, choice = widget.viewer.layers, widget.form.channels
    assert not choice.isHidden()
    chosen = {name: image and image.name for name, image in choice.value().items()}
    assert chosen == {"T1c": "patient7 T1c", "FLAIR": "patient7 FLAIR"}
    layers.selection.active = layers["patient7 T1c"]
    mask = segment(qtbot, widget)
    assert mask.data.shape == (6, 30, 32)
    said = widget.form.status.text()
    assert said.endswith(" FLAIR is put on the grid of T1c by interpolation.")
    # A choice of the user's stays when the mask is added.
    choice.setValue({"T1c": None})
    assert choice.note.text() == ("The network sees black for T1c, which it never did in training.")
    other = segment(qtbot, widget)
    assert choice.value()["T1c"] is None
    assert "T1c is missing, and black for the network" in widget.form.status.text()
    assert other is mask


def test_a_choice_of_the_users_stays_when_an_image_is_added(widget: SegmentWidget) -> None:
    viewer, choice = widget.viewer, widget.form.channels
    flair, t2 = viewer.layers["patient7 FLAIR"], viewer.layers["patient7 T2"]
    combo = choice._combos["T1c"]
    combo.setCurrentIndex(combo.findText(t2.name))
    combo.activated.emit(combo.currentIndex())
    same_case = LayerRecord(case="patient7", sequence="T1c").as_metadata()
    data = np.zeros((6, 30, 32), np.float32)
    added = viewer.add_image(data, name="a better T1c", metadata=same_case)
    assert choice.value() == {"T1c": t2, "FLAIR": flair}
    viewer.add_image(data, name="of another case")
    widget.form.image_combo.setLayer(flair)
    assert choice.value() == {"T1c": t2, "FLAIR": flair}
    viewer.layers.remove(t2)
    widget.form.image_combo.setLayer(added)
    assert choice.value()["T1c"] is added, "what is chosen is no longer open"


def test_a_model_of_one_sequence_has_no_rows(
    widget: SegmentWidget, make_checkpoint: Callable[..., Path]
) -> None:
    widget.form.model_choice.setValue(make_checkpoint(sequences=("FLAIR",)))
    assert widget.form.channels.isHidden()
    assert widget.form.channels.value() == {}
    widget.form.model_choice.setValue(make_checkpoint(sequences=("T2", "PD")))
    assert [of and of.name for of in widget.form.channels.value().values()] == ["patient7 T2", None]


def test_another_case_is_no_channel(
    widget: SegmentWidget, make_checkpoint: Callable[..., Path]
) -> None:
    own = widget.viewer.add_image(np.zeros((6, 30, 32), np.float32), name="scan")
    assert channels_for(own, widget.viewer.layers, BOTH) == dict.fromkeys(BOTH)
    info = read_header(make_checkpoint(sequences=BOTH))
    with pytest.raises(DataError, match="scan has none of the sequences that the model takes"):
        model_input(own, widget.form.channels.value(), info)


def test_what_is_read_is_what_the_files_give(
    widget: SegmentWidget, make_checkpoint: Callable[..., Path]
) -> None:
    layers = widget.viewer.layers
    info = read_header(make_checkpoint(sequences=BOTH))
    flair = layers["patient7 FLAIR"]
    taken = model_input(flair, channels_for(flair, layers, BOTH), info)
    scan, notes = taken.read()
    np.testing.assert_array_equal(scan.data[..., 1], flair.data)
    np.testing.assert_allclose(scan.data[..., 0], layers["patient7 T1c"].data[::2])
    assert notes == ("T1c is put on the grid of FLAIR by interpolation.",)
