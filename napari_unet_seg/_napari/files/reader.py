"""Readers for napari: COCO, NIfTI, DICOM, OME-Zarr, cases; napari reads TIFF and pictures."""

from __future__ import annotations

import os
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari import current_viewer

from napari_unet_seg import log
from napari_unet_seg._napari import log as window_log
from napari_unet_seg._napari.widgets.messages import show_error, show_warning
from napari_unet_seg.errors import SegmentationError
from napari_unet_seg.io.dicom.signature import holds_dicom, is_dicom
from napari_unet_seg.io.zarr.read import is_zarr

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_unet_seg.io.coco.document.parse import ParsedFile
    from napari_unet_seg.io.common.scan import Scan

    LayerData = tuple[Any, dict[str, Any], str]
    Paths = str | Path | Sequence[str | Path]
    Reader = Callable[[Paths], list[LayerData]]

_MAX_SNIFFED = 1000
"""Maximum number of files of a folder that are examined to find DICOM."""


def coco_reader(path: Paths) -> Reader | None:
    """Return a reader if every path is a COCO file, or a list of a model's results."""
    from napari_unet_seg.io.coco.document.parse import parse_file

    files = []
    for p in _paths(path):
        try:
            files.append(parse_file(p))
        except SegmentationError:
            return None
        if not files[-1].kind:
            return None
    # napari calls the reader at once, or drops it with what was parsed.
    return _showing_errors(lambda _: _coco_layers(files))


def nifti_reader(path: Paths) -> Reader | None:
    """Return a reader if every path is named like a NIfTI file."""
    names = [p.name.lower() for p in _paths(path)]
    return _read_scans if all(name.endswith((".nii", ".nii.gz")) for name in names) else None


def zarr_reader(path: Paths) -> Reader | None:
    """Return a reader if every path is the folder of an OME-Zarr image or mask."""
    return _read_scans if all(is_zarr(p) for p in _paths(path)) else None


def dicom_reader(path: Paths) -> Reader | None:
    """Return a reader if the paths are DICOM files or folders that hold some, or a folder of cases.

    napari asks every reader of folders, whatever they hold. In a window the user has chosen this
    one, which takes any folder without a look at it, and says in a sentence why it holds no case:
    a reader that refuses gets a traceback from napari.
    """
    from napari_unet_seg._napari.files.case_folders import has_window

    paths = _paths(path)
    alone = len(paths) == 1 and os.path.isdir(paths[0]) and not is_zarr(paths[0])
    if alone and has_window():
        return _read_folder
    if all(_may_be_dicom(p) for p in paths):
        return _read_dicom
    return _reader_of_case(paths[0]) if alone else None


def _paths(path: Paths) -> list[Path]:
    return [Path(path)] if isinstance(path, str | Path) else [Path(p) for p in path]


def _may_be_dicom(path: Path) -> bool:
    try:
        # A study has a folder for each series; a limit keeps the wait short in large folders.
        return holds_dicom(path, most=_MAX_SNIFFED) if os.path.isdir(path) else is_dicom(path)
    except SegmentationError:
        return False


def _showing_errors(read: Reader) -> Reader:
    """Make a reader show its errors; napari would hide them in a message about plugins."""

    @wraps(read)
    def read_or_show_error(path: Paths) -> list[Any]:
        window_log.start()
        try:
            return read(path)
        except Exception as error:
            if current_viewer() is None:
                raise  # without a window a script reads, and has to handle the error
            show_error(log.problem(error, ", ".join(map(str, _paths(path)))))
            return [(None,)]  # "no layers" to napari

    return read_or_show_error


def _coco_layers(files: Sequence[ParsedFile]) -> list[Any]:
    from napari_unet_seg._napari.files.coco.layers import coco_layers
    from napari_unet_seg._napari.files.coco.results.layers import results_layers
    from napari_unet_seg.io.coco.read import dataset_of

    layers: list[Any] = []
    for file in files:
        results = file.kind == "results"
        layers += results_layers(file) if results else coco_layers(dataset_of(file))
    return layers or [(None,)]  # after Cancel "no layers" to napari


@_showing_errors
def _read_scans(path: Paths) -> list[LayerData]:
    from napari_unet_seg.io.read import read_scan

    return [layer for p in _paths(path) for layer in _layers_with_warnings(read_scan(p), p.name)]


@_showing_errors
def _read_dicom(path: Paths) -> list[Any]:
    from napari_unet_seg._napari.files.dicom_layers import dicom_scans

    # After Cancel in the choice of a series nothing is opened: "no layers" to napari.
    scans = dicom_scans(_paths(path))
    return [layer for pair in scans for layer in _layers_with_warnings(*pair)] or [(None,)]


@_showing_errors
def _read_folder(path: Paths) -> list[Any]:
    from napari_unet_seg._napari.files.case_folders import is_series, read_cases

    [folder] = _paths(path)
    return _read_dicom(folder) if is_series(folder) else read_cases(folder, _read_dicom)


def _reader_of_case(folder: Path) -> Reader | None:
    from napari_unet_seg._napari.files.case_folders import only_case
    from napari_unet_seg._napari.files.case_layers import case_layers

    case = only_case(folder)
    return None if case is None else _showing_errors(lambda _: case_layers(case))


def _layers_with_warnings(scan: Scan, name: str) -> list[LayerData]:
    """Return a scan as layers, and show its defects as warnings: missing slices for example."""
    for note in scan.meta.get("notes", ()):
        show_warning(f"{name}: {note}")
    return scan_layers(scan, name)


def scan_layers(scan: Scan, name: str, *, is_image: bool = False) -> list[LayerData]:
    """Return a scan as image layers; as a labels layer if it is a mask.

    A mask is told by what this plugin wrote into its file, else by its values unless `is_image`.
    """
    from napari_unet_seg._napari.files.guessed_masks import guessed_mask
    from napari_unet_seg._napari.layers.colours import adopt_colours
    from napari_unet_seg._napari.layers.conversion import grid_of, labels_options
    from napari_unet_seg._napari.layers.geometry import placement_of
    from napari_unet_seg._napari.layers.images.channels import image_layers
    from napari_unet_seg._napari.layers.instances import stored_options
    from napari_unet_seg._napari.layers.layer_record import LayerRecord
    from napari_unet_seg.config import Category
    from napari_unet_seg.io.disk.seen import saw
    from napari_unet_seg.io.masks.labels import INSTANCES_KEY, objects_of
    from napari_unet_seg.io.masks.palette import stored_palette

    provenance = scan.meta.get("description") or {}
    categories = provenance.get("categories")
    if not categories or scan.data.dtype.kind not in "ui":
        mask = None if is_image else guessed_mask(scan, name)
        return image_layers(scan, name) if mask is None else [mask]
    parsed = [Category.parse(c, str(scan.path)) for c in categories]
    palette = stored_palette(provenance)
    adopt_colours(palette)
    record = LayerRecord(scan=grid_of(scan), order=tuple(palette), from_file=True)
    if (objects := objects_of(provenance, parsed)) is not None:
        rows = [row for row in provenance[INSTANCES_KEY] if row[0] in objects]
        options = stored_options(rows, parsed, name, record)
    else:
        options = labels_options(parsed, name, record)
    options |= placement_of(scan)
    if scan.path is not None:
        saw(scan.path)
    # A lazily read array cannot be painted on.
    return [(np.asarray(scan.data), options, "labels")]
