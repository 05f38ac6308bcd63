"""Registered scans of other fields of view, on top of each other in the window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pytest
from napari.viewer import ViewerModel

from napari_unet_seg._napari.files.reader import nifti_reader
from napari_unet_seg._napari.layers.conversion import add_labels, scan_from_layer
from napari_unet_seg.config import Category
from napari_unet_seg.io.write import write_mask

if TYPE_CHECKING:
    from pathlib import Path

TILT = np.deg2rad(15)
TURN = np.array([[1, 0, 0], [0, np.cos(TILT), -np.sin(TILT)], [0, np.sin(TILT), np.cos(TILT)]])
UPRIGHT = np.diag([-1.0, -1, 1])
AFFINES = {
    "upright": UPRIGHT,
    "stored in other axes": np.array([[0, 0, -1.0], [1, 0, 0], [0, -1, 0]]),
    "oblique": TURN @ UPRIGHT,
}
SIZES = np.diag([0.5, 0.8, 2.0])
START, SHAPE = (3, 5, 2), (16, 14, 8)
BLOCK = (slice(8, 11), slice(9, 12), slice(5, 7))


@pytest.fixture
def viewer() -> ViewerModel:
    return ViewerModel()


@pytest.fixture(params=AFFINES)
def files(request: Any, tmp_path: Path) -> tuple[Path, Path]:
    """A scan with a bright block, and a part of it that begins at other voxels."""
    affine = np.eye(4)
    affine[:3, :3] = AFFINES[request.param] @ SIZES
    affine[:3, 3] = (30, -20, 45)
    array = np.zeros((24, 22, 12), np.int16)
    array[BLOCK] = 900
    part = array[tuple(slice(s, s + n) for s, n in zip(START, SHAPE, strict=True))]
    moved = affine.copy()
    moved[:3, 3] = (affine @ (*START, 1))[:3]
    nib.save(nib.Nifti1Image(array, affine), tmp_path / "scan.nii.gz")
    nib.save(nib.Nifti1Image(part, moved), tmp_path / "part.nii.gz")
    return tmp_path / "scan.nii.gz", tmp_path / "part.nii.gz"


def show(viewer: Any, path: Path) -> Any:
    reader = nifti_reader(str(path))
    assert reader is not None
    ((data, options, kind),) = reader(str(path))
    return getattr(viewer, f"add_{kind}")(data, **options)


def block(layer: Any) -> Any:
    """Return the corners of the bright block in world coordinates."""
    voxels = np.argwhere(np.asarray(layer.data))
    return [layer.data_to_world(corner) for corner in (voxels.min(0), voxels.max(0))]


def test_a_scan_and_its_part_show_a_block_at_one_place(viewer: Any, files: Any) -> None:
    scan, part = (show(viewer, path) for path in files)
    np.testing.assert_allclose(block(scan), block(part), atol=1e-4)


def test_a_mask_of_the_part_lies_on_the_scan_and_is_saved_on_its_grid(
    viewer: Any, files: Any, tmp_path: Path
) -> None:
    scan, part = (show(viewer, path) for path in files)
    labels = (np.asarray(part.data) > 0).astype(np.uint8)
    mask = add_labels(viewer, labels, part, [Category(id=1, name="block")], "mask")
    np.testing.assert_allclose(block(mask), block(scan), atol=1e-4)
    provenance = {"categories": [{"id": 1, "name": "block"}]}
    write_mask(tmp_path / "mask.nii.gz", labels, scan_from_layer(mask), provenance)
    source, stored = nib.load(files[1]), nib.load(tmp_path / "mask.nii.gz")
    assert stored.header["srow_x"].tobytes() == source.header["srow_x"].tobytes()
    np.testing.assert_array_equal(stored.affine, source.affine)
    again = show(viewer, tmp_path / "mask.nii.gz")
    np.testing.assert_allclose(block(again), block(scan), atol=1e-4)
    np.testing.assert_array_equal(again.scale, scan.scale)
    assert again.units == scan.units


def test_a_stroke_over_the_scan_reaches_the_same_voxels_of_the_part(
    viewer: Any, files: Any
) -> None:
    """In each of the three planes, on the slice on screen."""
    scan, part = (show(viewer, path) for path in files)
    mask = add_labels(
        viewer, np.zeros(part.data.shape, np.uint8), part, [Category(id=1, name="block")], "mask"
    )
    voxel = np.argwhere(np.asarray(scan.data))[0]
    world = scan.data_to_world(voxel)
    for order in ((0, 1, 2), (1, 0, 2), (2, 0, 1)):
        viewer.dims.order = order
        viewer.dims.set_point(order[0], world[order[0]])
        # The slice of each layer that is drawn is the one that a stroke at this place changes.
        for layer in (scan, part, mask):
            drawn = layer.world_to_data(viewer.dims.point)[order[0]]
            assert round(drawn) == round(layer.world_to_data(world)[order[0]])
        mask.data[:] = 0
        mask.brush_size = 1
        mask.paint(mask.world_to_data(world), 1)
        assert np.argwhere(mask.data).tolist() == [np.argwhere(np.asarray(part.data))[0].tolist()]
