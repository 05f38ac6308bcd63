"""`open`: napari with the plugin docked."""

from pathlib import Path
from typing import Annotated

import typer

from napari_unet_seg.errors import DataError

PLUGIN = "napari-unet-seg"


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
    import napari

    viewer = napari.Viewer()
    viewer.window.add_plugin_dock_widget(PLUGIN, "Segment")
    if sample:
        viewer.open_sample(PLUGIN, "scan")
    for file in files or ():
        viewer.open(file, plugin=_reader(file))
    napari.run()
    return 0


def _reader(file: Path) -> str:
    """Whose reader is to open a file; TIFFs and pictures are left to napari's own."""
    ours = file.is_dir() or file.name.lower().endswith((".json", ".nii", ".nii.gz", ".dcm"))
    return PLUGIN if ours else "napari"
