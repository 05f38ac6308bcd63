from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from npe2 import PluginManager
from PIL import Image as Picture
from pycocotools.coco import COCO
from zarr_images import write_image

from napari_unet_seg import __version__
from napari_unet_seg._napari.layers.conversion import add_labels, categories_of
from napari_unet_seg._napari.layers.layer_record import ModelFile, update_record
from napari_unet_seg.config import Category
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.disk.temporary import temporary_path
from napari_unet_seg.io.images.tiff import read_description, read_tiff
from napari_unet_seg.io.read import read_scan

if TYPE_CHECKING:
    from pathlib import Path

PLUGIN = "napari-unet-seg"
LESION = (Category(id=4, name="lesion"), Category(id=9, name="oedema"))


pytestmark = pytest.mark.usefixtures("only_this_plugin")


def _save(layer: Any, path: Path) -> list[str]:
    return [str(p) for p in layer.save(str(path), plugin=PLUGIN)]


def _masked(shape: tuple[int, ...], **geometry: Any) -> Any:
    viewer = ViewerModel()
    image = viewer.add_image(np.zeros(shape), name="scan", **geometry)
    labels = np.zeros(shape, np.uint8)
    labels[..., 2:6, 3:9] = 1
    labels[..., 10:12, 3:9] = 2
    return add_labels(viewer, labels, image, LESION, "scan mask")


def test_names_in_the_save_dialog() -> None:
    writers = PluginManager.instance().iter_compatible_writers(["labels"])
    ours = {w.display_name: w.filename_extensions for w in writers if PLUGIN in w.command}

    assert ours == {
        "Mask as TIFF with axes and voxel size": [".tif", ".tiff"],
        "Mask as NIfTI on the scan's grid": [".nii.gz", ".nii"],
        "Mask as OME-Zarr labels": [".zarr"],
        "Mask as DICOM SEG that names the patient": [".dcm"],
        "Mask as DICOM SEG without the patient's data": [".dcm"],
        "Mask as COCO annotations": [".json"],
    }


def test_tiff_keeps_values_axes_voxel_size_and_categories(tmp_path: Path) -> None:
    mask = _masked((3, 20, 30), scale=(3, 0.5, 0.5), units=("mm",) * 3)
    path = tmp_path / "mask.tif"

    assert _save(mask, path) == [str(path)]
    np.testing.assert_array_equal(tifffile.imread(path), mask.data)
    scan = read_tiff(path)
    assert (scan.axes, scan.spacing, scan.unit) == ("ZYX", (3, 0.5, 0.5), "mm")
    assert [c["name"] for c in read_description(path)["categories"]] == ["lesion", "oedema"]


@pytest.mark.parametrize("name", ["mask.tif", "mask.json"])
def test_what_a_killed_save_of_the_file_has_left_is_removed(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    left = temporary_path(path)
    left.write_bytes(b"half")
    other = temporary_path(tmp_path / "other.tif")
    other.write_bytes(b"of another file")

    _save(_masked((16, 20)), path)

    assert not left.exists()
    assert other.exists()


def test_ids_of_an_atlas_are_saved_without_categories(tmp_path: Path) -> None:
    labels = np.zeros((4, 5, 6), np.uint32)
    labels[1:3, 2, 3] = 312_782_546, 312_782_547
    path = tmp_path / "atlas.nii.gz"
    _save(ViewerModel().add_labels(labels), path)

    (again,) = ViewerModel().open(path, plugin=PLUGIN)
    np.testing.assert_array_equal(again.data, labels)
    with pytest.raises(DataError, match=r"number the labels from 1\.$"):
        _save(ViewerModel().add_labels(labels), tmp_path / "atlas.json")


def test_nifti_goes_back_onto_the_scans_grid(tmp_path: Path) -> None:
    affine = np.array([[0, 0, 2.0, 5], [-0.5, 0, 0, 6], [0, 1.0, 0, 7], [0, 0, 0, 1]])
    source = tmp_path / "scan.nii.gz"
    nib.save(nib.Nifti1Image(np.zeros((20, 24, 6), np.float32), affine), source)
    viewer = ViewerModel()
    (image,) = viewer.open(source, plugin=PLUGIN)
    labels = np.zeros(image.data.shape, np.uint8)
    labels[2, 3, 4] = 1
    mask = add_labels(viewer, labels, image, LESION, "mask")
    path = tmp_path / "mask.nii.gz"
    _save(mask, path)
    written = nib.load(path)

    assert written.shape == (20, 24, 6)
    np.testing.assert_allclose(written.affine, affine)
    assert int(np.asarray(written.dataobj).sum()) == 1
    (again,) = viewer.open(path, plugin=PLUGIN)
    np.testing.assert_array_equal(again.data, labels)
    assert categories_of(again) == LESION


def test_labels_of_others_are_saved_with_their_scale(tmp_path: Path) -> None:
    viewer = ViewerModel()
    layer = viewer.add_labels(np.full((2, 20, 30), 3, np.uint16), scale=(2, 1, 1))
    _save(layer, tmp_path / "own.tif")

    assert read_tiff(tmp_path / "own.tif").spacing == (2, 1, 1)
    layer.affine, layer.units = np.diag([2, 0.5, 0.5, 1]), ("cm",) * 3
    _save(layer, tmp_path / "placed.tif")
    placed = read_tiff(tmp_path / "placed.tif")
    assert (placed.spacing, placed.unit) == ((40, 5, 5), "mm")
    layer.axis_labels = ("t", "y", "x")
    _save(layer, tmp_path / "times.tif")
    assert read_tiff(tmp_path / "times.tif").axes == "TYX"
    _save(layer, tmp_path / "own.json")
    names = [c["name"] for c in json.loads((tmp_path / "own.json").read_text())["categories"]]
    assert names == ["label 1", "label 2", "label 3"]


def test_a_mask_that_lost_its_grid_is_refused_with_both(tmp_path: Path) -> None:
    mask = _masked((3, 20, 30))
    mask.data = mask.data[:2]

    with pytest.raises(DataError, match=r"2 × 20 × 30 .* 3 × 20 × 30"):
        _save(mask, tmp_path / "mask.tif")
    assert list(tmp_path.glob("*.tif")) == []


def test_coco_of_a_volume_reads_back_in_pycocotools(tmp_path: Path) -> None:
    mask = _masked((3, 20, 30))
    _save(mask, tmp_path / "mask.json")
    coco = COCO(str(tmp_path / "mask.json"))

    assert [coco.imgs[i]["file_name"] for i in sorted(coco.imgs)] == [
        f"scan mask_{n:04d}.png" for n in range(3)
    ]
    drawn = np.zeros((20, 30), np.uint8)
    first = min(coco.imgs)
    for annotation in coco.loadAnns(coco.getAnnIds(imgIds=[first])):
        value = [c.id for c in LESION].index(annotation["category_id"]) + 1
        drawn[coco.annToMask(annotation) == 1] = value
    np.testing.assert_array_equal(drawn, mask.data[0])


def test_an_import_goes_back_with_only_the_edit_changed(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        Picture.fromarray(np.zeros((30, 40), np.uint8)).save(tmp_path / name)
    square = [[2.25, 3, 12, 3, 12, 9, 2.25, 9]]
    document = {
        "info": {"year": 2020},
        "images": [
            {"id": n, "file_name": name, "width": 40, "height": 30}
            for n, name in ((5, "a.png"), (6, "b.png"))
        ],
        "categories": [{"id": 0, "name": "lesion", "own": True}],
        "annotations": [
            {"id": n, "image_id": n, "category_id": 0, "segmentation": square, "score": 0.5}
            for n in (5, 6)
        ],
    }
    source = tmp_path / "set.json"
    source.write_text(json.dumps(document))
    viewer = ViewerModel()
    _, mask = viewer.open(source, plugin=PLUGIN)
    mask.data_setitem((np.array([1]), np.array([20]), np.array([20])), 1)
    _save(mask, tmp_path / "out.json")
    written = json.loads((tmp_path / "out.json").read_text())

    assert written["info"] == document["info"]
    assert written["images"] == document["images"]
    assert written["categories"] == document["categories"]
    assert written["annotations"][:2] == document["annotations"]
    (added,) = written["annotations"][2:]
    assert (added["image_id"], added["category_id"], added["area"]) == (6, 0, 1)


def test_an_import_goes_back_though_its_file_is_gone(tmp_path: Path) -> None:
    source = _coco_of_two_sizes(tmp_path)
    document = json.loads(source.read_text())
    viewer = ViewerModel()
    _, mask, *_ = viewer.open(source, plugin=PLUGIN)
    source.unlink()
    _save(mask, tmp_path / "out.json")
    assert json.loads((tmp_path / "out.json").read_text()) == document


def test_masks_of_two_sizes_are_saved_into_one_file(tmp_path: Path) -> None:
    source = _coco_of_two_sizes(tmp_path)
    viewer = ViewerModel()
    masks = viewer.open(source, plugin=PLUGIN)[1::2]
    for mask in masks:
        mask.data_setitem((np.array([0]), np.array([20]), np.array([20])), 1)
        _save(mask, source)
    added = json.loads(source.read_text())["annotations"][2:]
    assert [(a["image_id"], a["area"]) for a in added] == [(5, 1), (6, 1)]


def _coco_of_two_sizes(folder: Path) -> Path:
    sizes = {5: (30, 40), 6: (25, 50)}
    images, annotations = [], []
    for number, (height, width) in sizes.items():
        name = f"{number}.png"
        Picture.fromarray(np.zeros((height, width), np.uint8)).save(folder / name)
        images.append({"id": number, "file_name": name, "width": width, "height": height})
        square = [[2, 3, 12, 3, 12, 9, 2, 9]]
        annotations.append(
            {"id": number, "image_id": number, "category_id": 4, "segmentation": square}
        )
    categories = [{"id": 4, "name": "lesion"}]
    document = {"images": images, "annotations": annotations, "categories": categories}
    path = folder / "set.json"
    path.write_text(json.dumps(document))
    return path


def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    mask = _masked((20, 30))
    with pytest.raises(DataError, match=r"none.* cannot be written: its folder does not exist"):
        _save(mask, tmp_path / "none" / "mask.tif")


def test_the_model_that_drew_it_is_named(tmp_path: Path) -> None:
    mask = _masked((20, 30))
    update_record(mask, model=ModelFile("best.safetensors", "ab"))
    _save(mask, tmp_path / "mask.tif")

    described = read_description(tmp_path / "mask.tif")
    assert (described["model"], described["model_sha256"]) == ("best.safetensors", "ab")
    assert described["version"] == __version__
    assert datetime.fromisoformat(described["time"]) <= datetime.now(UTC)
    assert "source" not in described, "the scan is of no file"


def test_the_scan_is_named_with_its_hash(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(np.zeros((4, 5, 6), np.float32), np.eye(4)), tmp_path / "scan.nii")
    viewer = ViewerModel()
    (image,) = viewer.open(tmp_path / "scan.nii", plugin=PLUGIN)
    mask = add_labels(viewer, np.zeros(image.data.shape, np.uint8), image, LESION, "mask")
    _save(mask, tmp_path / "mask.tif")
    described = read_description(tmp_path / "mask.tif")

    assert described["source"] == "scan.nii"
    digest = hashlib.sha256((tmp_path / "scan.nii").read_bytes()).hexdigest()
    assert described["source_sha256"] == digest


def test_a_mask_goes_among_the_labels_of_its_ome_zarr(tmp_path: Path) -> None:
    store = tmp_path / "scan.zarr"
    write_image(store)
    viewer = ViewerModel()
    (image,) = viewer.open(store, plugin=PLUGIN)
    labels = np.zeros(image.data.shape, np.uint8)
    labels[1, 3:9, 4:11] = 2
    mask = add_labels(viewer, labels, image, LESION, "scan mask")
    _save(mask, store)
    (again,) = viewer.open(store / "labels" / "mask", plugin=PLUGIN)

    np.testing.assert_array_equal(again.data, labels)
    np.testing.assert_allclose(again.scale, image.scale)
    assert categories_of(again) == LESION
    assert read_scan(store).data.shape == image.data.shape


@pytest.mark.parametrize("link", ["train", "train/masks", "train/masks/a.tif"])
@pytest.mark.parametrize("is_data_set", [True, False])
def test_only_a_data_set_is_not_written_through_a_link(
    tmp_path: Path, link: str, is_data_set: bool
) -> None:
    folder, outside = tmp_path / "set", tmp_path / "outside"
    (outside / "masks").mkdir(parents=True)
    (folder / link).parent.mkdir(parents=True)
    target = {"train": outside, "train/masks": outside / "masks"}.get(link, outside / "b.tif")
    (folder / link).symlink_to(target)
    if is_data_set:
        (folder / "dataset.json").write_text("{}")
        with pytest.raises(DataError, match=r"leads by a link to .*; remove the link\.$"):
            _save(_masked((20, 30)), folder / "train/masks/a.tif")
    else:
        _save(_masked((20, 30)), folder / "train/masks/a.tif")
    assert any(outside.rglob("*.tif")) is not is_data_set
