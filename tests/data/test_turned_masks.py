"""Pairs of a scan and a mask that another program has stored in another order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np

from napari_unet_seg.config import NormaliseConfig
from napari_unet_seg.data.cache import read_sample
from napari_unet_seg.data.dataset import open_dataset
from napari_unet_seg.io.common.grids.placement import shown_affine
from napari_unet_seg.io.images.tiff import write_labels
from napari_unet_seg.io.read import read_scan

if TYPE_CHECKING:
    from pathlib import Path


def test_a_pair_is_trained_on_in_the_order_of_the_scan(tmp_path: Path) -> None:
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    random = np.random.default_rng(0)
    pixels = random.normal(size=(6, 5, 4)).astype(np.float32)
    nib.save(nib.Nifti1Image(pixels, np.diag([-1, -1, 3, 1.0])), tmp_path / "images" / "a.nii.gz")
    scan = read_scan(tmp_path / "images" / "a.nii.gz")
    labels = random.integers(0, 3, scan.grid_shape).astype(np.uint8)
    sagittal = np.asarray(shown_affine(scan))[:, [1, 2, 0, 3]]  # its x, y, z are our y, z, x
    turned = labels.transpose(2, 0, 1)
    spacing = (1.0, 3.0, 1.0)
    path = tmp_path / "masks" / "a.tif"
    write_labels(path, turned, axes="ZYX", spacing=spacing, unit="mm", affine=sagittal)

    samples = open_dataset(tmp_path, 3)
    assert samples.notes == ()
    image, mask = read_sample(samples.samples[0], 1, NormaliseConfig())
    assert image.shape[:3] == mask.shape
    np.testing.assert_array_equal(mask, labels)
