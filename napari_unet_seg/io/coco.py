"""COCO in and out; the parts stand in modules of their own."""

from __future__ import annotations

from napari_unet_seg.io.coco_encode import Encoder
from napari_unet_seg.io.coco_instances import Instances, draw_instances
from napari_unet_seg.io.coco_raster import rasterise
from napari_unet_seg.io.coco_read import CocoDataset, CocoImage, is_coco, read_coco
from napari_unet_seg.io.coco_report import CocoReport, Overlaps, inspect, overlaps
from napari_unet_seg.io.coco_write import labels_to_coco, save_coco
from napari_unet_seg.io.coco_write_back import write_back, write_back_instances

__all__ = [
    "CocoDataset",
    "CocoImage",
    "CocoReport",
    "Encoder",
    "Instances",
    "Overlaps",
    "draw_instances",
    "inspect",
    "is_coco",
    "labels_to_coco",
    "overlaps",
    "rasterise",
    "read_coco",
    "save_coco",
    "write_back",
    "write_back_instances",
]
