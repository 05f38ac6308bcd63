"""Several sequences together, in the source of the Train dock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pytest

from napari_unet_seg._napari.files.case_layers import case_layers
from napari_unet_seg._napari.train.widget import TrainWidget
from napari_unet_seg.config import PRESETS, NormaliseConfig, TrainConfig
from napari_unet_seg.data.cache import read_and_report
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.cases.plan import plan_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot


@pytest.fixture
def case(tmp_path: Path) -> Path:
    folder, random = tmp_path / "data" / "patient7", np.random.default_rng(0)
    folder.mkdir(parents=True)
    for kind, step in (("t1c", 1), ("flair", 2), ("seg", 1)):
        high = 900 if kind != "seg" else 2
        data = random.integers(0, high, (32, 30, 6 // step)).astype(np.int16)
        nib.save(nib.Nifti1Image(data, np.diag([1.0, 1, step, 1])), folder / f"{kind}.nii.gz")
    return folder


@pytest.fixture
def widget(dock: Callable[..., Any]) -> TrainWidget:
    found: TrainWidget = dock(TrainWidget)
    return found


def check(qtbot: QtBot, widget: TrainWidget, *names: str) -> None:
    """List the sequences by the button, and check some of them in the menu."""
    edit = widget.source.sequences
    edit.menu.clear()
    edit.button.click()
    qtbot.waitUntil(lambda: edit.button.isEnabled() and bool(edit.menu.actions()))
    for action in edit.menu.actions():
        if action.text() in names:
            action.trigger()
    edit.menu.close()


def test_the_sequences_of_a_folder_are_listed_and_chosen(
    widget: TrainWidget, case: Path, qtbot: QtBot
) -> None:
    widget.source.folder.setValue(case.parent)
    with pytest.raises(DataError, match="choose one, or several together"):
        widget.source.value().read(2)
    check(qtbot, widget, "FLAIR", "T1c")
    assert widget.source.sequences.value() == ("T1c", "FLAIR")
    assert widget.value().sequences == ("T1c", "FLAIR")
    samples = widget.source.value().read(2)
    assert (len(samples.samples), samples.sequences) == (6, ("T1c", "FLAIR"))
    check(qtbot, widget, "FLAIR")
    assert widget.source.sequences.line.text() == "T1c"


def test_open_images_are_what_their_files_are(
    widget: TrainWidget, case: Path, qtbot: QtBot
) -> None:
    for data, options, kind in case_layers(plan_folder(case).cases[0]):
        getattr(widget.viewer, f"add_{kind}")(data, **options)
    layers, source = widget.viewer.layers, widget.source
    source.tabs.setCurrentIndex(1)
    source.labels.setLayer(layers["patient7 seg"])
    source.image.setLayer(layers["patient7 T1c"])
    alone = source.value().read(3)
    assert alone.sequences == ("T1c",)

    check(qtbot, widget, "FLAIR", "T1c")
    together = source.value().read(3)
    source.tabs.setCurrentIndex(0)
    source.folder.setValue(case.parent)
    of_folder = source.value().read(3)
    assert together.sequences == of_folder.sequences == ("T1c", "FLAIR")
    assert together.notes == ("FLAIR is put on the grid of T1c by interpolation.",)
    arrays = [
        read_and_report(s.samples[0], 2, NormaliseConfig(per_channel=True))
        for s in (together, of_folder)
    ]
    np.testing.assert_array_equal(arrays[0][0], arrays[1][0])
    np.testing.assert_array_equal(arrays[0][1], arrays[1][1])

    source.tabs.setCurrentIndex(1)
    source.sequences.setValue(("T1c", "PD"))
    with pytest.raises(DataError, match="No open image of the case patient7 shows PD"):
        source.value()


def test_the_names_are_a_setting_beside_the_preset(widget: TrainWidget, tmp_path: Path) -> None:
    widget.setValue(PRESETS["best"].replace(sequences=("T1c", "FLAIR")))
    assert widget.presets.preset.currentText() == "best"
    assert widget.source.sequences.line.text() == "T1c, FLAIR"
    widget.save(tmp_path / "settings.yaml")
    stored = TrainConfig.from_file(tmp_path / "settings.yaml")
    assert stored == widget.value() == PRESETS["best"].replace(sequences=("T1c", "FLAIR"))
