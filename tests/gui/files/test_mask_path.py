"""Where a mask is proposed to be saved, by what its layer tells of its image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import dask
import nibabel as nib
import numpy as np
import tifffile
from napari.components import ViewerModel
from napari.layers import Image, Labels

from napari_unet_seg._napari.files.case_layers import case_layers
from napari_unet_seg._napari.files.coco.layers import coco_layers
from napari_unet_seg._napari.files.mask_path import proposed_mask_path
from napari_unet_seg._napari.files.reader import scan_layers
from napari_unet_seg._napari.layers.conversion import add_labels
from napari_unet_seg._napari.layers.images.case import case_of, sequence_of
from napari_unet_seg.config import Category
from napari_unet_seg.io.cases.plan import plan_folder
from napari_unet_seg.io.coco.read import read_coco
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.read import read_scan
from napari_unet_seg.io.write import write_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

LESION = (Category(id=4, name="lesion"),)
VOXELS = np.arange(4 * 12 * 10).reshape(4, 12, 10)


def write_nifti(path: Path, values: Any = VOXELS) -> Path:
    path.parent.mkdir(exist_ok=True)
    nib.save(nib.Nifti1Image(np.asarray(values, np.int16).T, np.eye(4)), path)
    return path


def add(viewer: ViewerModel, layers: Sequence[Any]) -> list[Any]:
    added = [getattr(viewer, f"add_{kind}")(data, **options) for data, options, kind in layers]
    return [layer for layer in added if isinstance(layer, Image | Labels)]


def mask_on(viewer: ViewerModel, image: Image, labels: Any = VOXELS * 0) -> Labels:
    return add_labels(viewer, np.asarray(labels, np.uint8), image, LESION, "mask")


def test_a_segmented_file_gets_its_mask_beside_it(tmp_path: Path) -> None:
    paths = [write_nifti(tmp_path / "pat5" / f"{name}_sub.nii.gz") for name in ("T1c", "Flair")]
    viewer = ViewerModel()
    for path in paths:
        (image,) = add(viewer, scan_layers(read_scan(path), path.name))
        mask = mask_on(viewer, image)
        assert proposed_mask_path(mask) == path.with_name(f"{path.name[:-7]}_mask.nii.gz")
        assert (case_of(image), case_of(mask)) == ("pat5", "pat5")
    assert [sequence_of(i) for i in viewer.layers if isinstance(i, Image)] == ["T1c", "FLAIR"]


def test_a_saved_mask_is_proposed_to_be_saved_again(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "pat5" / "T1c.nii.gz")
    saved = path.with_name("T1c_mask.nii.gz")
    write_mask(saved, np.ones(VOXELS.shape, np.uint8), read_scan(path), {"categories": [
        c.model_dump() for c in LESION
    ]})  # fmt: skip
    (mask,) = add(ViewerModel(), scan_layers(read_scan(saved), saved.name))
    assert proposed_mask_path(mask) == saved
    assert case_of(mask) == "pat5"


def test_the_layers_of_a_case_know_case_and_sequence(tmp_path: Path) -> None:
    folder = tmp_path / "pat5" / "2019"
    folder.parent.mkdir()
    for name in ("t1", "flair", "seg"):
        write_nifti(folder / f"{name}.nii.gz")
    (case,) = plan_folder(tmp_path).cases
    *images, mask = add(ViewerModel(), case_layers(case))
    assert {case_of(layer) for layer in (*images, mask)} == {"pat5_2019"}
    assert {sequence_of(image) for image in images} == {"T1", "FLAIR"}
    first = next(iter(case.sequences.values())).files[0]
    assert proposed_mask_path(mask) == first.with_name(f"{first.name[:-7]}_mask.nii.gz")


def test_the_mask_of_a_folder_of_slices_lies_in_the_folder(tmp_path: Path) -> None:
    paths = tuple(tmp_path / "pat5" / f"pat5_{index}.tif" for index in range(4))
    scan = Scan(VOXELS, "ZYX", meta={"paths": paths})
    (image,) = add(viewer := ViewerModel(), scan_layers(scan, "pat5"))
    mask = mask_on(viewer, image)
    mask.name = "pat5 mask"
    assert proposed_mask_path(mask) == tmp_path / "pat5" / "pat5_mask.tif"


def test_the_masks_of_two_stacks_in_one_folder_have_names_of_their_own(tmp_path: Path) -> None:
    folder = tmp_path / "pat5"
    folder.mkdir()
    for name in ("flair", "t1"):
        for number in range(4):
            tifffile.imwrite(folder / f"{name}_{number}.tif", np.ones((12, 10), np.uint8))
    (case,) = plan_folder(folder).cases
    with dask.config.set(scheduler="synchronous"):  # its pools keep their threads
        images = add(viewer := ViewerModel(), case_layers(case))
    found = {sequence_of(image): proposed_mask_path(mask_on(viewer, image)) for image in images}
    assert found == {"FLAIR": folder / "flair_mask.tif", "T1": folder / "t1_mask.tif"}


def test_layers_without_a_file_are_named_after_their_image() -> None:
    viewer = ViewerModel()
    mask = mask_on(viewer, viewer.add_image(VOXELS, name="head"))
    mask.name = "head mask"
    assert proposed_mask_path(mask) == Path.home() / "head_mask.tif"


def test_a_mask_of_coco_goes_back_to_its_file_and_a_new_one_beside_it(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((12, 10), np.uint8))
    file = tmp_path / "set.json"
    file.write_text(
        '{"images": [{"id": 1, "file_name": "a.tif", "width": 10, "height": 12}],'
        ' "annotations": [], "categories": [{"id": 4, "name": "lesion"}]}'
    )
    viewer = ViewerModel()
    with dask.config.set(scheduler="synchronous"):  # its pools keep their threads
        image, mask = add(viewer, coco_layers(read_coco(file)))
    assert proposed_mask_path(mask) == file
    predicted = mask_on(viewer, image, np.zeros((1, 12, 10)))
    assert proposed_mask_path(predicted) == tmp_path / "set_mask.json"
    assert case_of(predicted) == "set"
