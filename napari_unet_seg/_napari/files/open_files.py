"""The opening of files by the dock and by the program, with the reader that knows them best."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from napari_unet_seg._napari.files.reader import scan_layers
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.dicom.signature import is_dicom
from napari_unet_seg.io.read import read_scan

if TYPE_CHECKING:
    from pathlib import Path

    from napari.layers import Layer
    from napari.viewer import Viewer

PLUGIN = "napari-unet-seg"


def open_file(viewer: Viewer, file: Path) -> list[Layer]:
    """Open a file or a folder, and return the new layers; none if it could not be read.

    Raises
    ------
    SegmentationError
        If a file cannot be read.
    """
    if file.name.lower().endswith((".tif", ".tiff")):
        # napari's own reader reads neither the voxel size nor the categories of a mask.
        layers = scan_layers(read_scan(file), file.name)
        return [getattr(viewer, f"add_{kind}")(data, **options) for data, options, kind in layers]
    try:
        return list(viewer.open(file, plugin=_reader(file)))
    except (ValueError, OSError) as error:  # napari's reader knows nothing of the file, or its end
        raise DataError(
            f"{file} cannot be opened; give scans and masks as NIfTI, DICOM, TIFF, PNG, JPEG or "
            "OME-Zarr, or a COCO file."
        ) from error


def _reader(file: Path) -> str:
    """Return the plugin that reads a file; napari's own reader opens pictures."""
    named = os.path.isdir(file) or file.name.lower().endswith((".json", ".nii", ".nii.gz"))
    return PLUGIN if named or is_dicom(file) else "napari"
