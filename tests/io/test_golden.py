"""Files that stay as they are: COCO as its exporters write it, and masks of earlier versions."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO
from written_back import write_back, write_back_instances

from napari_unet_seg.io.coco.instances import draw_instances
from napari_unet_seg.io.coco.raster import rasterise
from napari_unet_seg.io.coco.read import read_coco
from napari_unet_seg.io.coco.report import inspect
from napari_unet_seg.io.coco.write import save_coco
from napari_unet_seg.io.read import read_labels

GOLDEN = Path(__file__).parent / "golden"
# Where each exporter puts its file and the images, all of 16 × 12 pixels.
LAYOUTS = {
    "cvat": (
        "annotations/instances_default.json",
        ["images/default/a.png", "images/default/b.png"],
    ),
    "coco2017": ("annotations/instances_val2017.json", ["val2017/000000000139.jpg"]),
    "mmdetection": ("annotations/instances_train.json", ["train/scans/a.jpg"]),
    "label_studio": ("result.json", ["images/1/8f1e2c3d-slice one.png"]),
    "labelme": ("annotations.json", ["JPEGImages/a.jpg"]),
    "roboflow": ("train/_annotations.coco.json", ["train/a_jpg.rf.0123456789abcdef.jpg"]),
}


@pytest.fixture(params=LAYOUTS)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The file of an exporter in its place."""
    place, images = LAYOUTS[request.param]
    for name in images:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((12, 16), np.uint8)).save(tmp_path / name)
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(GOLDEN / "coco" / f"{request.param}.json", tmp_path / place)
    return tmp_path / place


def test_images_are_found_and_all_annotations_usable(path: Path) -> None:
    dataset = read_coco(path)
    report = inspect(dataset)
    assert (report.missing, report.skipped) == ((), ())
    assert len(report.usable) == len(dataset.images)
    assert sum(report.annotations.values()) == len(dataset.document["annotations"])


def test_the_masks_are_those_of_pycocotools(path: Path) -> None:
    dataset, coco = read_coco(path), COCO(path)
    values = {category.id: value for value, category in enumerate(dataset.categories, 1)}
    for image in dataset.images:
        expected = np.zeros((12, 16), np.uint8)
        for annotation in coco.loadAnns(coco.getAnnIds(image.id)):
            expected[coco.annToMask(annotation) == 1] = values[annotation["category_id"]]
        np.testing.assert_array_equal(rasterise(dataset, image.id), expected)


@pytest.mark.parametrize("objects", [False, True])
def test_not_edited_it_comes_out_as_it_was(path: Path, objects: bool) -> None:
    dataset, out = read_coco(path), path.with_name("out.json")
    stack = np.zeros((len(dataset.images), 12, 16), np.uint16)
    if objects:
        instances = draw_instances(dataset, dataset.images, stack)
        planes = {i.id: plane for i, plane in zip(dataset.images, stack, strict=True)}
        document = write_back_instances(instances, planes)
    else:
        document = write_back(dataset, {i.id: rasterise(dataset, i.id) for i in dataset.images})
    save_coco(document, out, style=dataset.style)
    before, after = path.read_text(), out.read_text()
    assert json.loads(after) == json.loads(before)
    assert after.split() == before.split()


def test_an_edit_touches_its_annotation_alone(path: Path) -> None:
    dataset, out = read_coco(path), path.with_name("out.json")
    stack = np.zeros((len(dataset.images), 12, 16), np.uint16)
    instances = draw_instances(dataset, dataset.images, stack)
    rows, columns = np.nonzero(stack[0] == 1)
    stack[0, rows[0], columns[0]] = 0
    planes = {i.id: plane for i, plane in zip(dataset.images, stack, strict=True)}
    save_coco(write_back_instances(instances, planes), out, style=dataset.style)
    before, after = json.loads(path.read_text()), json.loads(out.read_text())
    old, new = before.pop("annotations"), after.pop("annotations")
    assert before == after
    assert old[1:] == new[1:]
    changed = {key for key in old[0] if old[0][key] != new[0][key]}
    assert "segmentation" in changed <= {"segmentation", "area", "bbox"}
    assert list(new[0]) == list(old[0])
    COCO(out)


# --- masks that version 0.1.0 wrote

LABELS = np.zeros((2, 4, 5), np.uint16)
LABELS[0, 1:3, 1:4], LABELS[1, 2, 2] = 1, 300
CATEGORIES = [{"id": 0, "name": "gliome é", "supercategory": "tumour"}]


@pytest.mark.parametrize("suffix", ["tif", "ome.tif", "nii.gz", "nii", "dcm"])
def test_masks_of_an_earlier_version_are_read(suffix: str) -> None:
    mask = read_labels(GOLDEN / "0.1.0" / f"mask.{suffix}")
    expected = LABELS + 70_000 * (LABELS > 0) if suffix == "ome.tif" else LABELS
    if suffix == "dcm":
        expected = (LABELS > 0).astype(np.uint8)
    np.testing.assert_array_equal(mask.data, expected)
    assert (mask.axes, mask.unit) == ("ZYX", "mm")
    assert mask.spacing == pytest.approx((3, 0.5, 0.25))
    described = mask.meta["description"]
    assert described["categories"] == CATEGORIES
    assert described["model_sha256"] == "ab" * 32
