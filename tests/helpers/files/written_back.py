"""COCO documents with edited masks, without the file that a save would write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_unet_seg.io.coco.edit import apply_edits
from napari_unet_seg.io.coco.write_back import find_edits, find_instance_edits

if TYPE_CHECKING:
    from napari_unet_seg.io.coco.instances import Instances
    from napari_unet_seg.io.coco.read import CocoDataset


def write_back(dataset: CocoDataset, edited: Any, **options: Any) -> dict[str, Any]:
    """Return the document with edited masks of categories; see `find_edits`."""
    return apply_edits(dataset, find_edits(dataset, edited, **options).values())


def write_back_instances(instances: Instances, edited: Any, **options: Any) -> dict[str, Any]:
    """Return the document with edited masks of instances; see `find_instance_edits`."""
    return apply_edits(
        instances.dataset, find_instance_edits(instances, edited, **options).values()
    )
