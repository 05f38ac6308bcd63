"""Packages that come with an extra only."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from napari_unet_seg.errors import DataError

_EXTRAS = {
    "highdicom": ("DICOM SEG is written", "dicom-seg", ", or save the mask as .nii.gz"),
    "lightning_fabric": ("Processes of one training are joined", "distributed", ""),
    "distributed": ("Many scans are shared out", "distributed", ""),
    "segmentation_models_pytorch": (
        "Encoders are built",
        "encoders",
        ", or leave model.encoder empty",
    ),
    "zarr": ("OME-Zarr is read and written", "zarr", ""),
}
"""What a package does, its extra, and what to do without it."""


def require(package: str) -> Any:
    """Import and return a package of an extra.

    Raises
    ------
    DataError
        If it is not installed.
    """
    try:
        return import_module(package)
    except ImportError as error:
        what, extra, otherwise = _EXTRAS[package]
        raise DataError(
            f"{what} by the package {package}, which is not installed; install it with "
            f'pip install "napari-unet-seg[{extra}]"{otherwise}.'
        ) from error
