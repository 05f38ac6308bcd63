"""Readers for napari: COCO, NIfTI, DICOM and OME-Zarr; TIFF and pictures stay napari's own."""

from __future__ import annotations

import json
from functools import wraps
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari import current_viewer
from napari.utils.notifications import show_error, show_warning

from napari_unet_seg.errors import SegmentationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_unet_seg.io.common.scan import Scan

    LayerData = tuple[Any, dict[str, Any], str]
    Paths = str | Path | Sequence[str | Path]
    Reader = Callable[[Paths], list[LayerData]]

_DICOM_MARK = (128, b"DICM")
_DICOM_SUFFIXES = (".dcm", ".dicom", ".ima")
_LOOKED_AT = 1000
"""Files of a folder that are looked at to tell whether it holds DICOM."""


def coco_reader(path: Paths) -> Reader | None:
    """Return a reader if every path is a JSON file with images and annotations."""
    return _read_coco if all(_is_coco(p) for p in _paths(path)) else None


def nifti_reader(path: Paths) -> Reader | None:
    """Return a reader if every path is named like a NIfTI file."""
    names = [p.name.lower() for p in _paths(path)]
    return _read_scans if all(name.endswith((".nii", ".nii.gz")) for name in names) else None


def zarr_reader(path: Paths) -> Reader | None:
    """Return a reader if every path is the folder of an OME-Zarr image or mask."""
    from napari_unet_seg.io.zarr.read import is_zarr

    return _read_scans if all(is_zarr(p) for p in _paths(path)) else None


def dicom_reader(path: Paths) -> Reader | None:
    """Return a reader if the paths are DICOM files or folders that hold some."""
    paths = _paths(path)
    return _read_dicom if all(_may_be_dicom(p) for p in paths) else None


def _paths(path: Paths) -> list[Path]:
    return [Path(path)] if isinstance(path, str | Path) else [Path(p) for p in path]


def _is_coco(path: Path) -> bool:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(document, dict) and {"images", "annotations"} <= document.keys()


def _may_be_dicom(path: Path) -> bool:
    if path.is_dir():
        # A study has a folder for each series; in a folder of everything nobody waits for long.
        return any(p.is_file() and _is_dicom(p) for p in islice(path.rglob("*"), _LOOKED_AT))
    return path.suffix.lower() in _DICOM_SUFFIXES or _is_dicom(path)


def _is_dicom(path: Path) -> bool:
    offset, mark = _DICOM_MARK
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(len(mark)) == mark
    except OSError:
        return False


def _telling(read: Reader) -> Reader:
    """Show what is wrong with a file as it is; napari would bury it in sentences on plugins."""

    @wraps(read)
    def read_and_tell(path: Paths) -> list[Any]:
        try:
            return read(path)
        except SegmentationError as error:
            if current_viewer() is None:
                raise  # without a window it is a script that reads, and wants to know
            show_error(str(error))
            return [(None,)]  # "no layers" to napari

    return read_and_tell


@_telling
def _read_coco(path: Paths) -> list[LayerData]:
    from napari_unet_seg._napari.files.coco_layers import coco_layers
    from napari_unet_seg.io.coco.read import read_coco

    return [layer for p in _paths(path) for layer in coco_layers(read_coco(p))]


@_telling
def _read_scans(path: Paths) -> list[LayerData]:
    from napari_unet_seg.io.read import read_scan

    return [layer for p in _paths(path) for layer in _told_layers(read_scan(p), p.name)]


@_telling
def _read_dicom(path: Paths) -> list[Any]:
    from napari_unet_seg._napari.files.dicom_layers import dicom_scans

    # Where the choice of a series is cancelled nothing is opened: "no layers" to napari.
    scans = dicom_scans(_paths(path))
    return [layer for pair in scans for layer in _told_layers(*pair)] or [(None,)]


def _told_layers(scan: Scan, name: str) -> list[LayerData]:
    """Return a scan as layers, and tell what is wrong with it: missing slices for example."""
    for note in scan.meta.get("notes", ()):
        show_warning(f"{name}: {note}")
    return scan_layers(scan, name)


def scan_layers(scan: Scan, name: str) -> list[LayerData]:
    """Return a scan as its image layers, or as labels if it is a mask that this plugin wrote."""
    from napari_unet_seg._napari.layers.channels import image_layers
    from napari_unet_seg._napari.layers.instances import stored_options
    from napari_unet_seg._napari.layers.layers import grid_of, labels_options
    from napari_unet_seg.config import Category
    from napari_unet_seg.io.common.labels import INSTANCES_KEY, objects_of

    provenance = scan.meta.get("description") or {}
    categories = provenance.get("categories")
    if not categories or scan.data.dtype.kind not in "ui":
        return image_layers(scan, name)
    parsed = [Category.parse(c, str(scan.path)) for c in categories]
    known = {"scan": grid_of(scan)}
    if (objects := objects_of(provenance, parsed)) is not None:
        rows = [row for row in provenance[INSTANCES_KEY] if row[0] in objects]
        options = stored_options(rows, parsed, name, known)
    else:
        options = labels_options(parsed, name, known)
    options |= {"scale": scan.spacing}
    if translation := scan.meta.get("translation"):
        options["translate"] = translation
    # What is read lazily could not be painted on.
    return [(np.asarray(scan.data), options, "labels")]
