"""COCO in and out; the parts stand in modules of their own."""

from __future__ import annotations

from napari_unet_seg.io.coco_edit import write_back
from napari_unet_seg.io.coco_raster import rasterise, rasterise_instances
from napari_unet_seg.io.coco_read import CocoDataset, CocoImage, is_coco, read_coco
from napari_unet_seg.io.coco_report import CocoReport, inspect
from napari_unet_seg.io.coco_write import labels_to_coco, save_coco
from napari_unet_seg.io.polygons import encode

__all__ = [
    "CocoDataset",
    "CocoImage",
    "CocoReport",
    "encode",
    "inspect",
    "is_coco",
    "labels_to_coco",
    "rasterise",
    "rasterise_instances",
    "read_coco",
    "save_coco",
    "write_back",
]
