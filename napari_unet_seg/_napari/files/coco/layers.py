"""A COCO data set as layers: for each image size a lazily read stack and its mask."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg._napari.layers.colours import adopt_colours
from napari_unet_seg._napari.layers.conversion import grid_of, labels_options, scan_options
from napari_unet_seg._napari.layers.instances import instance_options
from napari_unet_seg._napari.layers.layer_record import CocoImages, LayerRecord, Values
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.coco.categories import colours_in
from napari_unet_seg.io.coco.instances import draw_instances, instance_dtype
from napari_unet_seg.io.coco.raster import draw, paint
from napari_unet_seg.io.coco.source import CocoSource
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.images.photographs import image_layout, lazy_stack
from napari_unet_seg.io.masks.labels import label_dtype
from napari_unet_seg.io.masks.sparse import sparse_zeros

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Id
    from napari_unet_seg.io.coco.instances import Instances
    from napari_unet_seg.io.coco.read import CocoDataset, CocoImage

LayerData = tuple[Any, dict[str, Any], str]

_COMMON_NAMES = ("annotations", "annotation", "coco", "labels", "result", "instances")


@dataclass(frozen=True, slots=True, eq=False)
class CocoStack:
    """The images of one size in a data set, with their labels."""

    name: str
    scan: Scan
    labels: Array
    image_ids: tuple[Id, ...]
    boxes: bool
    """Whether annotations that have only a box are drawn."""
    instances: Instances | None
    """The annotations that the labels stand for, if each annotation has its own label."""


def coco_stacks(
    dataset: CocoDataset, *, boxes: bool = False, values: Values = "classes"
) -> list[CocoStack]:
    """Group a data set's images by size and draw their annotations; skip unreadable images.

    Parameters
    ----------
    dataset : CocoDataset
        A data set from `io.coco.read.read_coco`.
    boxes : bool
        Draw annotations that have only a box as a rectangle.
    values : str
        The meaning of a label: "classes" for the position of the category, from 1, or "instances"
        for a label of its own for each annotation.

    Raises
    ------
    DataError
        If no image can be read.
    """
    layouts, groups = {}, defaultdict(list)
    for image in dataset.images:
        layout = _layout(image)
        if layout is not None:
            layouts[image.id] = layout
            groups[layout[0][:2]].append(image)
    if not groups:
        raise DataError(
            f"None of the {len(dataset.images)} images of {dataset.path} can be read; choose the "
            "folder of the images."
        )
    title = _title(dataset)
    return [
        _stack(
            dataset,
            images,
            [layouts[image.id] for image in images],
            boxes,
            values,
            title if len(groups) == 1 else f"{title} {size[1]}×{size[0]}",
        )
        for size, images in groups.items()
    ]


def _title(dataset: CocoDataset) -> str:
    """Return the name of the COCO file; of its folder if the file has a common name."""
    stem = dataset.path.name.partition(".")[0]
    is_common = stem.strip("_").lower() in _COMMON_NAMES
    return (dataset.path.absolute().parent.name or stem) if is_common else stem


def _layout(image: CocoImage) -> tuple[tuple[int, ...], np.dtype[Any]] | None:
    """Return the shape and dtype of an image's file; None if it does not fit its annotations."""
    if image.path is None:
        return None
    try:
        shape, dtype = image_layout(image.path)
    except DataError:
        return None  # the table of Import COCO shows the reason
    return (shape, dtype) if shape[:2] == (image.height, image.width) else None


def _stack(
    dataset: CocoDataset,
    images: list[CocoImage],
    layouts: list[tuple[tuple[int, ...], np.dtype[Any]]],
    boxes: bool,
    values: Values,
    name: str,
) -> CocoStack:
    shape = min((layout[0] for layout in layouts), key=lambda s: (-len(s), s[2:]))
    dtype = np.result_type(*{layout[1] for layout in layouts})
    paths = [image.path for image in images if image.path is not None]
    scan = Scan(
        lazy_stack(paths, shape, dtype),
        "NYXC" if len(shape) == 3 else "NYX",
        path=dataset.path,
        names=tuple(image.file_name for image in images),
        meta={"paths": tuple(paths)},
    )
    plane, instances = shape[:2], None
    if values == "instances":
        labels = sparse_zeros((len(images), *plane), instance_dtype(dataset, images))
        instances = draw_instances(dataset, images, labels, boxes=boxes)
    else:
        labels = _draw_classes(dataset, images, plane, boxes)
    ids = tuple(image.id for image in images)
    return CocoStack(name, scan, labels, ids, boxes, instances)


def _draw_classes(
    dataset: CocoDataset, images: list[CocoImage], plane: tuple[int, ...], boxes: bool
) -> Array:
    labels = sparse_zeros((len(images), *plane), label_dtype(len(dataset.categories)))
    for target, image in zip(labels, images, strict=True):
        paint(target, draw(dataset, image, dataset.categories, boxes=boxes))
    return labels


def coco_layers(dataset: CocoDataset, stacks: list[CocoStack] | None = None) -> list[LayerData]:
    """Return the layers of a data set, images below their masks.

    Parameters
    ----------
    dataset : CocoDataset
        A data set from `io.coco.read.read_coco`.
    stacks : list of CocoStack
        The data set's stacks from `coco_stacks`, if they were made in another thread.
    """
    layers: list[LayerData] = []
    source = CocoSource(dataset.path, dataset)
    adopt_colours(colours_in(dataset.document))
    for stack in coco_stacks(dataset) if stacks is None else stacks:
        coco = CocoImages(source, stack.image_ids, stack.boxes)
        drawn_on = LayerRecord(coco=coco, categories=dataset.categories, case=stack.name)
        image = scan_options(stack.scan, stack.name, record=drawn_on)
        record = LayerRecord(
            coco=coco._replace(drawn=True),
            scan=grid_of(stack.scan),
            independent=True,
            names=stack.scan.names,
            case=stack.name,
        )
        mask = f"{stack.name} mask"
        if stack.instances is None:
            options = labels_options(dataset.categories, mask, record)
        else:
            options = instance_options(stack.instances, mask, record)
        layers += [(stack.scan.data, image, "image"), (stack.labels, options, "labels")]
    return layers
