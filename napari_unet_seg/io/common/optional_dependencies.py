"""Optional packages, which extras of the distribution install."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from napari_unet_seg.errors import DataError

_EXTRAS = {
    "cryptography": ("Worker processes are kept from other users", "distributed", ""),
    "highdicom": ("DICOM SEG is written", "dicom-seg", ", or save the mask as .nii.gz"),
    "lightning_fabric": ("Processes of one training are connected", "distributed", ""),
    "distributed": ("Many scans are distributed over workers", "distributed", ""),
    "napari_orthogonal_views": ("Linked views are shown", "linked-views", ""),
    "segmentation_models_pytorch": (
        "Encoders are built",
        "encoders",
        ", or leave model.encoder empty",
    ),
    "zarr": ("OME-Zarr is read and written", "zarr", ""),
}
"""For each package: its use, its extra, and what to do without the package."""


def is_installed(package: str) -> bool:
    """Whether an optional package is installed; the package is not imported."""
    return find_spec(package) is not None


def require(package: str) -> Any:
    """Import and return an optional package.

    Raises
    ------
    DataError
        If the package is not installed; the message names the extra.
    """
    try:
        return import_module(package)
    except ImportError as error:
        what, extra, otherwise = _EXTRAS[package]
        raise DataError(
            f"{what} by the package {package}, which is not installed; install it with "
            f'pip install "napari-unet-seg[{extra}]"{otherwise}.'
        ) from error
