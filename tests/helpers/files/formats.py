"""What a mask is, and each format as a way to store it and read it back.

`SURVIVES` is the table of what comes back: `tests/io/test_formats.py` sets every cell of it, and
`docs/make_formats.py` writes it out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import nibabel
import numpy as np
import pydicom
from dicom_files import write_series
from hypothesis import strategies as st
from pydicom.valuerep import format_number_as_ds
from scipy.spatial.transform import Rotation
from written_back import write_back, write_back_instances

from napari_unet_seg.config import Category
from napari_unet_seg.io.coco.instances import draw_instances, instance_dtype
from napari_unet_seg.io.coco.raster import rasterise
from napari_unet_seg.io.coco.read import read_coco
from napari_unet_seg.io.coco.write import labels_to_coco, save_coco
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.images.binary_masks import write_binary_masks
from napari_unet_seg.io.masks.labels import INSTANCES_KEY, objects_of, stored_categories
from napari_unet_seg.io.read import read_labels, read_scan
from napari_unet_seg.io.write import write_mask

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from napari_unet_seg.arrays import Array


@dataclass(frozen=True, eq=False)
class Thing:
    """An object of a mask."""

    category: Category
    annotation_id: int | None = None
    attributes: str | None = None


@dataclass(frozen=True, eq=False)
class Mask:
    """Labels on a grid; they are objects where `things` is given, else categories from 1."""

    labels: Array
    axes: str
    spacing: tuple[float, ...]
    unit: str
    affine: Array | None
    """From (x, y, z) to RAS+ in mm."""
    categories: tuple[Category, ...]
    things: dict[int, Thing] | None

    @property
    def classes(self) -> Array:
        """The labels as categories."""
        if self.things is None:
            return self.labels
        result = np.zeros(self.labels.shape, np.min_scalar_type(len(self.categories)))
        for value, thing in self.things.items():
            result[self.labels == value] = self.categories.index(thing.category) + 1
        return result

    @property
    def as_classes(self) -> Mask:
        """The same with categories for labels."""
        return replace(self, labels=self.classes, things=None)

    @property
    def planes(self) -> list[tuple[str, Array]]:
        """Its slices with names."""
        flat = self.labels.reshape(-1, *self.labels.shape[-2:])
        return [(f"{i:04d}.png", plane) for i, plane in enumerate(flat)]


# --- random masks

_names = st.text(st.characters(codec="utf-8", exclude_categories=("C",)), min_size=1, max_size=6)


@st.composite
def categories(draw: st.DrawFn) -> tuple[Category, ...]:
    """Ids 0, with gaps, beyond a byte; names of any script."""
    ids = draw(st.lists(st.integers(0, 2**31), min_size=1, max_size=3, unique=True))
    names = draw(st.lists(_names, min_size=len(ids), max_size=len(ids), unique=True))
    return tuple(
        Category(id=i, name=name, supercategory=draw(st.sampled_from(["", "x"])))
        for i, name in zip(ids, names, strict=True)
    )


@st.composite
def masks(draw: st.DrawFn, axes: str = "ZYX") -> Mask:
    """Boxes, some with a hole, some touching, their values up to 70 000, on an oblique grid."""
    shape = tuple(draw(st.integers(1, 3)) if axis in "ZT" else 12 for axis in axes)
    known = draw(categories())
    labels = np.zeros(shape, np.int64)
    values = draw(st.lists(st.integers(1, 70_000), min_size=1, max_size=4, unique=True))
    things = {}
    for number, value in enumerate(values):
        place = tuple(draw(st.integers(0, n - 1)) for n in shape[:-2])
        y, x = draw(st.integers(0, 7)), draw(st.integers(0, 7))
        labels[(*place, slice(y, y + 4), slice(x, x + 4))] = value
        if draw(st.booleans()):
            labels[(*place, y + 1, x + 2)] = 0
        attributes = json.dumps({"grade": number}) if draw(st.booleans()) else None
        things[value] = Thing(draw(st.sampled_from(known)), 2**31 + 7 * number, attributes)
    seen = {*np.unique(labels).tolist()}
    things = {value: thing for value, thing in things.items() if value in seen}
    labels = labels.astype(np.min_scalar_type(int(labels.max())))
    size = [draw(st.floats(0.1, 8).map(lambda v: round(v, 3))) for _ in range(3)]
    turn = Rotation.from_euler("xyz", [draw(st.floats(-180, 180)) for _ in range(3)], degrees=True)
    affine = np.eye(4)
    affine[:3, :3] = turn.as_matrix() * size[::-1]
    affine[:3, 3] = [draw(st.floats(-99, 99)) for _ in range(3)]
    spacing = tuple([1.5][: len(axes) - 3] + size[max(0, 3 - len(axes)) :])
    return Mask(labels, axes, spacing, "mm", affine, known, things)


# --- the formats: each writes a mask into a folder and reads it again


def _document(mask: Mask) -> dict[str, Any]:
    """A COCO file of others that holds a mask."""
    document = labels_to_coco([(n, p * 0) for n, p in mask.planes], mask.categories)
    things = mask.things
    if things is None:
        things = {value: Thing(c, value) for value, c in enumerate(mask.categories, 1)}
    for number, (_, plane) in enumerate(mask.planes, 1):
        for value, thing in things.items():
            if (plane == value).any():
                found = _annotation(plane == value, thing) | {"image_id": number}
                document["annotations"].append(found)
    return document


def _annotation(pixels: Array, thing: Thing) -> dict[str, Any]:
    known = {1: thing.category}
    made = labels_to_coco([("a", pixels.astype(int))], [thing.category], instances=known)
    found = {**made["annotations"][0], "id": thing.annotation_id}
    return found | ({"attributes": json.loads(thing.attributes)} if thing.attributes else {})


def _from_coco(path: Path) -> Mask:
    """What a COCO file holds, as a stack with a label for each annotation."""
    dataset = read_coco(path)
    first = dataset.images[0]
    stack = np.zeros(
        (len(dataset.images), first.height, first.width), instance_dtype(dataset, dataset.images)
    )
    instances = draw_instances(dataset, dataset.images, stack)
    things = {
        value: Thing(
            row.category,
            row.annotation["id"],
            json.dumps(found) if (found := row.annotation.get("attributes")) else None,
        )
        for value, row in enumerate(instances.rows, 1)
    }
    unknown = (1.0,) * 3
    return Mask(stack, "NYX", unknown, "pixel", None, dataset.categories, things)


def coco_objects_back(mask: Mask, folder: Path) -> Mask:
    """COCO with a label for each annotation, back into its file."""
    save_coco(_document(mask), folder / "in.json")
    dataset = read_coco(folder / "in.json")
    height, width = mask.labels.shape[-2:]
    stack = np.zeros((len(dataset.images), height, width), np.uint16)
    instances = draw_instances(dataset, dataset.images, stack)
    planes = {i.id: plane for i, plane in zip(dataset.images, stack, strict=True)}
    save_coco(write_back_instances(instances, planes), folder / "out.json", style=dataset.style)
    return _from_coco(folder / "out.json")


def coco_classes_back(mask: Mask, folder: Path) -> Mask:
    """COCO with a label for each category, back into its file."""
    save_coco(_document(mask), folder / "in.json")
    dataset = read_coco(folder / "in.json")
    planes = {image.id: rasterise(dataset, image.id) for image in dataset.images}
    save_coco(write_back(dataset, planes), folder / "out.json", style=dataset.style)
    return _from_coco(folder / "out.json")


def coco_objects_new(mask: Mask, folder: Path) -> Mask:
    """A mask with a label for each object as a new COCO file."""
    kinds = {value: thing.category for value, thing in (mask.things or {}).items()}
    known = kinds if mask.things is not None else None
    document = labels_to_coco(mask.planes, mask.categories, instances=known)
    save_coco(document, folder / "out.json")
    return _from_coco(folder / "out.json")


def coco_classes_new(mask: Mask, folder: Path) -> Mask:
    """A mask of categories as a new COCO file."""
    return coco_objects_new(mask.as_classes, folder)


def _described(mask: Mask) -> dict[str, Any]:
    described: dict[str, Any] = {"categories": [c.model_dump() for c in mask.categories]}
    if mask.things is not None:
        described[INSTANCES_KEY] = [
            [value, thing.category.id, thing.annotation_id] for value, thing in mask.things.items()
        ]
    return described


def _from_scan(scan: Scan) -> Mask:
    """A mask file as it is opened: as objects where it says that it holds some."""
    described = scan.meta.get("description")
    known = stored_categories(described)
    kinds = objects_of(described, known)
    ids = {row[0]: row[2] for row in (described or {}).get(INSTANCES_KEY, ())}
    things = None
    if kinds is not None:
        things = {value: Thing(category, ids.get(value)) for value, category in kinds.items()}
    affine = scan.meta.get("display_affine", scan.affine)
    labels = np.asarray(scan.data)
    return Mask(labels, scan.axes, scan.spacing, scan.unit, affine, known, things)


def _like(mask: Mask) -> Scan:
    shape = np.broadcast_to(np.uint8(0), mask.labels.shape)
    return Scan(shape, mask.axes, mask.spacing, mask.unit, affine=mask.affine)


def tiff(mask: Mask, folder: Path) -> Mask:
    """TIFF."""
    write_mask(folder / "mask.tif", mask.labels, _like(mask), _described(mask))
    return _from_scan(read_scan(folder / "mask.tif"))


def ome_zarr(mask: Mask, folder: Path) -> Mask:
    """OME-Zarr."""
    write_mask(folder / "mask.zarr", mask.labels, _like(mask), _described(mask))
    return _from_scan(read_scan(folder / "mask.zarr"))


def nifti(mask: Mask, folder: Path) -> Mask:
    """NIfTI on the grid of a NIfTI scan; what is compared is the file, as nibabel reads it."""
    scan = nibabel.Nifti1Image(mask.labels.T.astype(np.int32), mask.affine)
    scan.header.set_xyzt_units("mm", "sec")
    zooms = mask.spacing[::-1]
    scan.header.set_zooms(zooms)
    nibabel.save(scan, folder / "scan.nii.gz")
    like = read_scan(folder / "scan.nii.gz")
    write_mask(folder / "mask.nii.gz", np.asarray(like.data), like, _described(mask))
    stored = nibabel.load(folder / "mask.nii.gz")
    opened = _from_scan(read_scan(folder / "mask.nii.gz"))
    labels = np.asarray(stored.dataobj).T
    sizes = tuple(float(z) for z in stored.header.get_zooms()[::-1])
    axes = "TZYX"[-labels.ndim :]
    return replace(opened, labels=labels, axes=axes, spacing=sizes, affine=stored.affine)


def _ds(numbers: Sequence[float]) -> list[str]:
    return [format_number_as_ds(float(number)) for number in numbers]


def dicom_seg(mask: Mask, folder: Path) -> Mask:
    """DICOM SEG on a series."""
    assert mask.affine is not None
    to_lps = np.diag([-1.0, -1, 1, 1]) @ mask.affine
    columns = to_lps[:3, :3] / np.linalg.norm(to_lps[:3, :3], axis=0)
    planes = mask.labels.reshape(-1, *mask.labels.shape[-2:])
    series = write_series(
        folder / "series",
        list(range(len(planes))),
        shape=planes.shape[1:],
        ImageOrientationPatient=_ds((*columns[:, 0], *columns[:, 1])),
        PixelSpacing=_ds(mask.spacing[-2:]),
    )
    for number in range(len(planes)):
        path = series / f"3-{number}.dcm"
        stored = pydicom.dcmread(path)
        position = (to_lps @ [0, 0, number, 1])[:3]
        stored.ImagePositionPatient = _ds(position)
        (stored.SliceThickness,) = _ds(mask.spacing[-3:-2] or (1.0,))
        stored.save_as(path)
    like = read_scan(series)
    classes = mask.classes.reshape(planes.shape)
    write_mask(folder / "mask.dcm", classes, like, _described(mask.as_classes))
    return _from_scan(read_labels(folder / "mask.dcm"))


def binary(mask: Mask, folder: Path) -> Mask:
    """TIFFs of 0 and 255, a folder for each category."""
    flat = mask.as_classes
    write_binary_masks(flat.planes, mask.categories, folder / "out")
    several = len(mask.categories) > 1
    folders = sorted((folder / "out").iterdir()) if several else [folder / "out"]
    labels = np.zeros((len(flat.planes), *mask.labels.shape[-2:]), np.uint8)
    for value, place in enumerate(folders, 1):
        for number, path in enumerate(sorted(place.iterdir())):
            labels[number][np.asarray(read_labels(path).data) == 1] = value
    names = [place.name if several else "mask" for place in folders]
    known = tuple(Category(id=i, name=name) for i, name in enumerate(names, 1))
    return Mask(labels, "NYX", (1.0,) * 3, "pixel", None, known, None)


FORMATS: dict[str, Callable[[Mask, Path], Mask]] = {
    "COCO, a label for each annotation, back into its file": coco_objects_back,
    "COCO, a label for each category, back into its file": coco_classes_back,
    "COCO, a new file from labels of objects": coco_objects_new,
    "COCO, a new file from labels of categories": coco_classes_new,
    "TIFF": tiff,
    "TIFF of 0 and 255": binary,
    "NIfTI": nifti,
    "DICOM SEG": dicom_seg,
    "OME-Zarr": ome_zarr,
}


# --- what is compared


def _flat(mask: Mask) -> Array:
    return mask.labels.reshape(-1, *mask.labels.shape[-2:])


def _objects(mask: Mask) -> dict[bytes, Thing]:
    """The objects by the pixels of each; of a mask of categories, each category is one."""
    flat = _flat(mask)
    known = mask.things
    if known is None:
        known = {value: Thing(c) for value, c in enumerate(mask.categories, 1)}
    found = {}
    for value in np.unique(flat[flat != 0]).tolist():
        # An object of several slices is an annotation in each.
        for number, plane in enumerate(flat):
            if (plane == value).any():
                pixels = np.packbits(plane == value).tobytes()
                found[number.to_bytes(2) + pixels] = known[value]
    return found


def _same_objects(a: Mask, b: Mask, key: Callable[[Thing], Any]) -> bool:
    ours, theirs = _objects(a), _objects(b)
    return ours.keys() == theirs.keys() and all(key(ours[k]) == key(theirs[k]) for k in ours)


def _close(a: Any, b: Any) -> bool:
    return a is not None and b is not None and np.allclose(a, b, rtol=1e-5, atol=1e-4)


PROPERTIES: dict[str, Callable[[Mask, Mask], bool]] = {
    "shape": lambda a, b: a.labels.shape == b.labels.shape,
    "dtype": lambda a, b: a.labels.dtype == b.labels.dtype and np.array_equal(a.labels, b.labels),
    "axes": lambda a, b: a.axes == b.axes,
    "spacing": lambda a, b: a.unit == b.unit and _close(a.spacing, b.spacing),
    "affine": lambda a, b: _close(a.affine, b.affine),
    "categories": lambda a, b: a.categories == b.categories,
    "instances": lambda a, b: _same_objects(a, b, lambda thing: thing.category.name),
    "holes": lambda a, b: np.array_equal(_flat(a) > 0, _flat(b) > 0),
    "attributes": lambda a, b: _same_objects(a, b, lambda thing: thing.attributes),
    "ids": lambda a, b: _same_objects(a, b, lambda thing: thing.annotation_id),
}

_ALL = frozenset(PROPERTIES)
_GRID = {"shape", "dtype", "axes", "spacing", "affine", "holes"}
_COCO = {"shape", "categories", "instances", "holes", "attributes", "ids"}

SURVIVES: dict[str, frozenset[str]] = {
    "COCO, a label for each annotation, back into its file": frozenset(_COCO),
    "COCO, a label for each category, back into its file": frozenset(_COCO),
    "COCO, a new file from labels of objects": frozenset(_COCO - {"attributes", "ids"}),
    "COCO, a new file from labels of categories": frozenset({"shape", "categories", "holes"}),
    "TIFF": _ALL - {"attributes"},
    "TIFF of 0 and 255": frozenset({"shape", "holes"}),
    "NIfTI": _ALL - {"attributes"},
    "DICOM SEG": frozenset({"shape", "spacing", "affine", "categories", "holes"}),
    "OME-Zarr": _ALL - {"attributes"},
}
