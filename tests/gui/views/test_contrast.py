"""Contrast limits on opening, and the presets of the bar of views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pytest
from napari.components import ViewerModel

from napari_unet_seg._napari.files.reader import scan_layers
from napari_unet_seg._napari.views.contrast import ContrastButton
from napari_unet_seg.io.nifti import read_nifti

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def open_nifti(path: Path, viewer: Any, low: float = 0, high: float = 0) -> Any:
    values = np.arange(1000, dtype=np.float32).reshape(10, 10, 10)
    image = nib.Nifti1Image(values, np.eye(4))
    image.header["cal_min"], image.header["cal_max"] = low, high
    nib.save(image, path)
    ((data, options, _),) = scan_layers(read_nifti(path), path.name)
    return viewer.add_image(data, **options)


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(100, 300, (100, 300)), (0, 0, (0, 999)), (7, 3, (0, 999))]
)
def test_a_nifti_opens_with_its_window(
    tmp_path: Path, low: float, high: float, expected: tuple[float, float]
) -> None:
    image = open_nifti(tmp_path / "a.nii", ViewerModel(), low, high)
    assert tuple(image.contrast_limits) == expected


def test_presets_are_a_click_away(dock: Callable[[type], Any], tmp_path: Path) -> None:
    button: ContrastButton = dock(ContrastButton)
    image = open_nifti(tmp_path / "a.nii", button._viewer, 100, 300)
    button.choices.aboutToShow.emit()
    head, line, *others = button.choices.actions()
    assert (head.text(), head.isEnabled(), line.isSeparator()) == (image.name, False, True)
    actions = {a.text(): a for a in others}
    assert list(actions) == ["Window of the file: 100 to 300", "Percentiles 1–99", "Full range"]
    actions["Full range"].trigger()
    assert tuple(image.contrast_limits) == (0, 999)
    actions["Percentiles 1–99"].trigger()
    np.testing.assert_allclose(image.contrast_limits, np.percentile(np.arange(1, 1000), (1, 99)))
    actions["Window of the file: 100 to 300"].trigger()
    assert tuple(image.contrast_limits) == (100, 300)


def test_without_an_image_nothing_can_be_chosen(dock: Callable[[type], Any]) -> None:
    button: ContrastButton = dock(ContrastButton)
    button.list_choices()
    assert [(a.text(), a.isEnabled()) for a in button.choices.actions()] == [
        ("No image is on screen", False)
    ]
