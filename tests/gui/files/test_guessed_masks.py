"""Files that open as masks by their values, with a word and a way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pytest
import tifffile
from napari.layers import Image, Labels
from pages import dock_of
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_unet_seg._napari.files.open_files import open_file
from napari_unet_seg._napari.layers.conversion import categories_of, scan_from_layer
from napari_unet_seg._napari.review.widget import ReviewWidget
from napari_unet_seg._napari.session.slices.contents import unsegmented_slices
from napari_unet_seg.config import Category
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.write import write_mask

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

pytestmark = pytest.mark.usefixtures("only_this_plugin")


def labels() -> np.ndarray:
    result = np.zeros((6, 20, 24), np.float32)
    result[1:4, 4:9, 5:12] = 1
    result[2:5, 10:14, 5:12] = 2
    return result


@pytest.fixture(params=["a.nii.gz", "a.tif"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / request.param
    if path.suffix == ".tif":
        tifffile.imwrite(path, labels(), metadata={"axes": "ZYX"})
    else:
        nib.save(nib.Nifti1Image(labels().transpose(2, 1, 0), np.diag([-2, -2, 3, 1.0])), path)
    return path


def test_it_opens_as_a_mask_and_turns_back_into_an_image(
    dock: Callable[[type], Any], file: Path, notifications: list[str]
) -> None:
    widget = dock(ReviewWidget)
    viewer, views = widget.viewer, dock_of(widget).views
    (mask,) = open_file(viewer, file)
    assert isinstance(mask, Labels)
    np.testing.assert_array_equal(mask.data, labels())
    assert len(categories_of(mask)) == 2
    assert unsegmented_slices(mask) == ()
    assert any(file.name in said and "opens as a mask" in said for said in notifications)
    assert views.image_button.isVisibleTo(views)
    scale = mask.scale
    QTest.mouseClick(views.image_button, Qt.MouseButton.LeftButton)
    (image,) = viewer.layers
    assert isinstance(image, Image)
    assert image.data.dtype == np.float32
    np.testing.assert_array_equal(image.data, labels())
    np.testing.assert_allclose(image.scale, scale)
    assert scan_from_layer(image).path == file
    assert not views.image_button.isVisibleTo(views)


def test_a_tiff_that_napari_opens_itself_is_a_mask_too(
    qtbot: QtBot, dock: Callable[[type], Any], tmp_path: Path, npe2pm: Any
) -> None:
    widget = dock(ReviewWidget)
    tifffile.imwrite(tmp_path / "a.tif", labels())
    with npe2pm.tmp_plugin(package="napari"):
        widget.viewer.open(tmp_path / "a.tif", plugin="napari", scale=(3, 1, 1))
    qtbot.waitUntil(lambda: isinstance(widget.viewer.layers[0], Labels))
    (mask,) = widget.viewer.layers
    np.testing.assert_array_equal(mask.data, labels())
    np.testing.assert_allclose(mask.scale, (3, 1, 1))
    dock_of(widget).views.show_as_image()
    assert isinstance(widget.viewer.layers[0], Image)


def test_a_saved_mask_that_napari_opens_itself_keeps_categories_and_voxel_size(
    qtbot: QtBot, dock: Callable[[type], Any], tmp_path: Path, npe2pm: Any
) -> None:
    widget = dock(ReviewWidget)
    categories = [Category(id=7, name="tumour"), Category(id=9, name="oedema")]
    described = {"categories": [c.model_dump() for c in categories]}
    grid = Scan(labels(), "ZYX", (3.0, 2.0, 2.0), "mm")
    write_mask(tmp_path / "a.tif", labels().astype(np.uint8), grid, described)
    with npe2pm.tmp_plugin(package="napari"):
        widget.viewer.open(tmp_path / "a.tif", plugin="napari")
    qtbot.waitUntil(lambda: isinstance(widget.viewer.layers[0], Labels))
    (mask,) = widget.viewer.layers
    assert categories_of(mask) == tuple(categories)
    np.testing.assert_allclose(mask.scale, (3, 2, 2))
    assert unsegmented_slices(mask) == (), "a mask from a file is segmented as a whole"


def test_a_scan_opens_as_an_image(dock: Callable[[type], Any], tmp_path: Path) -> None:
    widget = dock(ReviewWidget)
    noise = np.random.default_rng(0).normal(0, 1, (6, 20, 24)).astype(np.float32)
    nib.save(nib.Nifti1Image(noise, np.eye(4)), tmp_path / "a.nii")
    (image,) = open_file(widget.viewer, tmp_path / "a.nii")
    assert isinstance(image, Image)
    assert not dock_of(widget).views.image_button.isVisibleTo(widget)
