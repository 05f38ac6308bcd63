"""The path that is proposed where a mask is saved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_unet_seg._napari.layers.conversion import file_of
from napari_unet_seg._napari.layers.images.case import case_of
from napari_unet_seg._napari.layers.layer_record import record_of
from napari_unet_seg.io.cases.names import mask_path

if TYPE_CHECKING:
    from napari.layers import Labels


def proposed_mask_path(mask: Labels) -> Path:
    """Return where a mask is best saved: beside its scan, in the scan's format, named as its mask.

    The suffix tells the format: `.json` is COCO, all others are written by `io.write`. A mask that
    was drawn from a COCO file is proposed to be written back to that file, and another mask of its
    images to a new file beside it. The mask of a stack of files lies beside its first slice; a mask
    without a file is named after its case in the home folder.
    """
    coco, path = record_of(mask).coco, file_of(mask)
    if coco is not None:
        own = coco.source.path
        return own if coco.drawn else own.with_name(f"{case_of(mask)}_mask.json")
    if path is None:
        return _folder_of(mask) / f"{case_of(mask)}_mask.tif"
    return mask_path(path.absolute(), _slices_of(mask))


def _slices_of(mask: Labels) -> tuple[Path, ...]:
    scan = record_of(mask).scan
    return scan.meta.get("paths", ()) if scan is not None else ()


def _folder_of(mask: Labels) -> Path:
    """Return the folder of the slices of a mask's scan, else the home folder."""
    slices = _slices_of(mask)
    return Path(slices[0]).absolute().parent if slices else Path.home()
