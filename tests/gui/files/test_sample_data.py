from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_unet_seg._napari.layers.conversion import categories_of, scan_from_layer
from napari_unet_seg._napari.layers.layer_record import record_of

PLUGIN = "napari-unet-seg"

pytestmark = pytest.mark.usefixtures("only_this_plugin")


def test_coco_sample_has_images_and_lesions() -> None:
    viewer = ViewerModel()
    image, mask = viewer.open_sample(PLUGIN, "coco")

    assert image.data.shape == mask.data.shape
    assert len(image.data) >= 10
    assert scan_from_layer(image).axes == "NYX"
    assert categories_of(mask)
    inside = np.asarray(image.data)[mask.data > 0]
    assert inside.size > 100
    assert inside.mean() > 0


def test_scan_sample_is_a_volume_with_a_voxel_size() -> None:
    viewer = ViewerModel()
    (image,) = viewer.open_sample(PLUGIN, "scan")
    scan = scan_from_layer(image)

    assert scan.axes == "ZYX"
    assert scan.unit == "mm"
    assert scan.affine is not None
    assert record_of(image).scan.path.is_file()


def test_patient_sample_has_two_sequences_of_one_case() -> None:
    viewer = ViewerModel()
    below, above = viewer.open_sample(PLUGIN, "patient")

    assert [record_of(layer).sequence for layer in (below, above)] == ["FLAIR", "T1c"]
    assert {record_of(layer).case for layer in (below, above)} == {"phantom-22"}
    assert above.visible
    assert not below.visible
    np.testing.assert_array_equal(below.scale, above.scale)
