"""Training on a folder of cases: what it holds is told, shown and corrected before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nibabel
import numpy as np
import pytest
from plans import shown_plan

from napari_unet_seg._napari.train.source import SourceBox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot


@pytest.fixture
def box(qtbot: QtBot, make_napari_viewer: Callable[..., Any]) -> SourceBox:
    box = SourceBox(make_napari_viewer())
    qtbot.addWidget(box)
    box.show()
    return box


@pytest.fixture
def patients(tmp_path: Path) -> Path:
    """Volumes of two patients, and a mask that names neither of them."""
    voxels = np.zeros((8, 8, 4), np.uint8)
    voxels[2:5, 2:5, 1:3] = 1
    for name in ("P1/flair", "P1/seg", "P2/flair", "P2/P7_label"):
        path = tmp_path / f"{name}.nii.gz"
        path.parent.mkdir(exist_ok=True)
        nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), path)
    (tmp_path / "P3_mask.nii.gz").write_bytes(path.read_bytes())
    return tmp_path


def test_slices_of_volumes_are_trained_on_as_corrected(
    qtbot: QtBot, box: SourceBox, patients: Path
) -> None:
    box.folder.setValue(patients)
    told = box.plan.text
    qtbot.waitUntil(lambda: told.text() == "2 cases, 2 with a mask, 1 file left out")
    assert len(box.value().read(2).samples) == 8

    box.plan.button.click()
    dialog = shown_plan(qtbot)
    dialog.tree.setCurrentIndex(dialog.model.place_of("P2/P7_label.nii.gz"))
    dialog.bar.buttons["left out"].click()
    with qtbot.waitSignal(box.valueChanged):
        dialog.ok_button.click()

    assert told.text() == "2 cases, 1 with a mask, 2 files left out"
    assert len(box.value().read(2).samples) == 4
    assert len(box.value().read(3).samples) == 1


def test_a_folder_without_scans_is_told_in_place(
    qtbot: QtBot, box: SourceBox, tmp_path: Path, notifications: list[str]
) -> None:
    box.folder.setValue(tmp_path)

    qtbot.waitUntil(lambda: "holds no scans" in box.plan.text.text())
    assert not box.plan.button.isVisible()
    assert not notifications
