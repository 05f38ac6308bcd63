"""`open`: napari with the plugin docked."""

from pathlib import Path
from typing import Annotated

import typer

from napari_unet_seg.errors import DataError


def open_(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILES...]", help="Scans, masks, COCO files.")
    ] = None,
    sample: Annotated[
        bool, typer.Option("--sample", help="Open the sample scan that comes with the plugin.")
    ] = False,
) -> int:
    """Open napari with the Segment panel docked.

    Example: napari-unet-seg open scan.nii.gz
    """
    for file in files or ():
        if not file.exists():
            raise DataError(f"{file} does not exist; check the name or choose another file.")
    from napari_unet_seg._napari.files.open_window import open_window

    open_window(files or (), sample=sample)
    return 0
