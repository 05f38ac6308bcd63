"""The channels and the mask of a case as NIfTI volumes; a slice is a volume of one slice.

nnU-Net takes slices as PNG or TIFF too, but then knows no pixel size, and one data set has one
format: a NIfTI of one slice keeps spacing, place and values of any type, and is planned as 2-D.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.channels import channel_names, is_colour
from napari_unet_seg.io.common.grids.resampling import resampled, shares_grid
from napari_unet_seg.io.common.window import fits_float32, to_grey
from napari_unet_seg.io.nifti import write_nifti, write_nifti_labels

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.common.scan import Scan

ENDING = ".nii.gz"
_COLOURS = ("red", "green", "blue")
_SPACE = ("ZYX", "YX")


class CaseVolumes(NamedTuple):
    """The sequences of a case by name, and its mask."""

    sequences: dict[str, Scan]
    grid: Scan
    """The scan on whose voxels the mask lies; without a mask one of the sequences."""
    mask: Scan | None
    """Label values on this grid; None without a mask."""

    @property
    def resampled(self) -> list[str]:
        """Names of the sequences that `channels_of` puts on the grid by interpolation."""
        return [name for name, s in self.sequences.items() if not shares_grid(s, self.grid)]


def shows_colours(scan: Scan) -> bool:
    """Whether a scan is a picture in colours that differ; grey ones may be stored as RGB too."""
    if not is_colour(scan):
        return False
    pixels = np.asarray(scan.data)[..., :3]
    return bool((pixels != pixels[..., :1]).any())


def channels_of(case: CaseVolumes, *, coloured: bool) -> dict[str, Scan]:
    """Return the channels of a case, each on the voxels of the mask and with their place.

    Parameters
    ----------
    case : CaseVolumes
        The case.
    coloured : bool
        Whether a picture becomes its three colours, also a grey one; else its luminance.

    Raises
    ------
    DataError
        If a sequence has times or cannot be read, or is on another grid and its place is not known.
    """
    alone = len(case.sequences) == 1
    found: dict[str, Scan] = {}
    for sequence, scan in case.sequences.items():
        if scan.grid_axes not in _SPACE:
            raise DataError(
                f"{scan.path} has the axes {scan.grid_axes}, and nnU-Net takes slices and volumes; "
                "leave it out, or save each volume as a file of its own."
            )
        for name, channel in _split(scan, sequence, coloured=coloured).items():
            own = name or sequence if alone else f"{sequence} {name}".strip()
            found[own] = _on_grid(channel, case.grid)
    return found


def _on_grid(channel: Scan, grid: Scan) -> Scan:
    # The geometry is that of the grid: the file of a channel may store its axes in another order.
    on_grid = channel if shares_grid(channel, grid) else resampled(channel, grid)
    return replace(grid, data=np.asarray(on_grid.data), axes=grid.grid_axes)


def _split(scan: Scan, sequence: str, *, coloured: bool) -> dict[str, Scan]:
    """Return the channels of a scan by name; an empty name for the only one."""
    if is_colour(scan):
        pixels = np.asarray(scan.data)
        if not coloured:
            return {"": _channel(scan, to_grey(pixels).round().astype(pixels.dtype))}
        return {name: _channel(scan, pixels[..., i]) for i, name in enumerate(_COLOURS)}
    if "C" not in scan.axes:
        grey = {name: _channel(scan, scan.data) for name in _COLOURS}
        return grey if coloured else {"": scan}
    names = channel_names(scan)
    return {name: _channel(scan, scan.data[..., i]) for i, name in enumerate(names)}


def _channel(scan: Scan, pixels: Array) -> Scan:
    return replace(scan, data=pixels, axes=scan.grid_axes)


def write_channel(path: Path, scan: Scan) -> None:
    """Write a channel with its values, spacing and affine.

    Raises
    ------
    WriteError
        If the file cannot be written.
    """
    volume = _volume(scan)
    write_nifti(path, _storable(scan.data).reshape(volume.grid_shape), volume)


def write_labels(path: Path, labels: Array, scan: Scan, description: dict[str, Any]) -> None:
    """Write labels on the grid of a scan, with their categories and colours.

    Raises
    ------
    WriteError
        If the file cannot be written.
    """
    volume = _volume(scan)
    write_nifti_labels(path, labels.reshape(volume.grid_shape), volume, description=description)


def _volume(scan: Scan) -> Scan:
    """Return a slice or volume as one of three axes, which all of nnU-Net's readers take."""
    shape = (*scan.meta.get("shape", ()), 1, 1)[:3]
    turned = {"shape": shape} if "turn" in scan.meta else {}
    flat = len(scan.grid_axes) == 2
    return replace(
        scan,
        data=np.broadcast_to(np.uint8(0), (1, *scan.grid_shape) if flat else scan.grid_shape),
        axes="ZYX",
        spacing=(1.0, *scan.spacing) if flat else scan.spacing,
        meta=scan.meta | turned,
    )


def _storable(pixels: Array) -> Array:
    """Return pixels in a type that NIfTI holds and all readers of nnU-Net take."""
    kind = pixels.dtype.kind
    if kind == "b":
        return pixels.astype(np.uint8)
    if kind == "f":
        return pixels.astype(np.float32 if fits_float32(pixels) else np.float64)
    narrow = pixels.dtype.itemsize < 8
    return pixels.astype(pixels.dtype.newbyteorder("=") if narrow else np.float64)
