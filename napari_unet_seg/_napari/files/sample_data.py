"""Sample data for napari's File › Open Sample: synthetic head phantoms with lesions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_unet_seg.errors import DataError

if TYPE_CHECKING:
    LayerData = tuple[Any, dict[str, Any], str]


def sample_folder() -> Path:
    """Return the folder of the sample data: in an installed package, or in a checkout next to it.

    Raises
    ------
    DataError
        If the installation has no sample data.
    """
    package = Path(__file__).parents[2]
    for folder in (package / "sample_data", package.parent / "sample_data"):
        if any(folder.glob("*/")):
            return folder
    raise DataError(f"{package} lacks its sample data; install napari-unet-seg again.")


def coco_sample() -> list[LayerData]:
    """Return slices of several heads with their annotations."""
    from napari_unet_seg._napari.files.coco.layers import coco_layers
    from napari_unet_seg.io.coco.read import read_coco

    return coco_layers(read_coco(_first_file("coco/*.json", "**/*.json")))


def scan_sample() -> list[LayerData]:
    """Return one head as a volume."""
    from napari_unet_seg._napari.files.reader import scan_layers
    from napari_unet_seg.io.read import read_scan

    path = _first_file("*.nii.gz", "**/*.nii.gz")
    return scan_layers(read_scan(path), path.name.partition(".")[0])


def patient_sample() -> list[LayerData]:
    """Return one head in two sequences, T1 with contrast medium above FLAIR."""
    from napari_unet_seg._napari.files.case_layers import case_layers
    from napari_unet_seg.io.cases.plan import plan_folder

    first, *_ = plan_folder(sample_folder() / "patients").cases
    return case_layers(first)


def _first_file(*patterns: str) -> Path:
    folder = sample_folder()
    for pattern in patterns:
        for path in sorted(folder.glob(pattern)):
            return path
    raise DataError(f"{folder} holds no {patterns[-1]}; install napari-unet-seg again.")
