"""What the processes that are killed have imported before they start: see `forks.processes`."""

from __future__ import annotations

import dask.array
import highdicom
import imagecodecs
import pycocotools.mask
import torch._dynamo  # imported by the first optimiser, for most of a second
import zarr

import napari_unet_seg.cli._app
import napari_unet_seg.cli.commands.predict.command
import napari_unet_seg.data.dataset
import napari_unet_seg.data.dataset_write
import napari_unet_seg.engine
import napari_unet_seg.io.dicom.seg_write
import napari_unet_seg.io.write
import napari_unet_seg.io.zarr.write
import napari_unet_seg.session.rounds
import napari_unet_seg.session.session
import napari_unet_seg.training.fine_tune
import napari_unet_seg.training.setup

__all__ = ["dask", "highdicom", "imagecodecs", "napari_unet_seg", "pycocotools", "torch", "zarr"]
