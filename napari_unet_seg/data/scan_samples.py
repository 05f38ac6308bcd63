"""Training samples from an open scan and its labels."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.config import IGNORE_INDEX, NormaliseConfig
from napari_unet_seg.data.samples import Sample
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.names import group_of
from napari_unet_seg.io.common.places import place_at
from napari_unet_seg.io.common.window import scan_window

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.common.places import Place
    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.io.common.window import Windows


_DEFAULT = NormaliseConfig()


def samples_from_scan(
    scan: Scan,
    labels: Array,
    slices: Iterable[int] | None = None,
    normalise: NormaliseConfig = _DEFAULT,
) -> tuple[Sample, ...]:
    """Return one sample per slice of a scan and its labels.

    The slices of a volume share the intensity window and the group of the volume; independent
    slices (axis `N`) share a group if their names tell the same patient.

    Parameters
    ----------
    scan : Scan
        Any number of axes before `YX`.
    labels : array
        Integers of the scan's `grid_shape`.
    slices : iterable of int, optional
        Running numbers of the slices along the flattened leading axes; by default all slices.
    normalise : NormaliseConfig
        Intensity window of a volume.

    Raises
    ------
    DataError
        If the grids of scan and labels differ.
    """
    if tuple(labels.shape) != scan.grid_shape:
        raise DataError(
            f"The labels are on a grid of {tuple(labels.shape)} and {scan_name(scan)} is on "
            f"{scan.grid_shape}; choose the labels that were made on this scan."
        )
    leading = scan.grid_shape[:-2]
    count = int(np.prod(leading))
    window = None if "N" in scan.axes or not leading else _volume_window(scan, normalise)
    samples, masks = [], uuid.uuid4().hex
    for index in range(count) if slices is None else slices:
        place = place_at(index, leading)
        name = slice_name(scan, index)
        image, mask = np.asarray(scan.data[place]), np.asarray(labels[place])
        group = group_of(name if "N" in scan.axes else scan_name(scan))
        beside = _place_in_volume(scan, masks, place)
        samples.append(Sample(name, image, mask, group, window=window, place=beside))
    return tuple(samples)


def volume_sample(
    scan: Scan,
    labels: Array,
    reviewed: Iterable[int] | None = None,
    normalise: NormaliseConfig = _DEFAULT,
) -> Sample:
    """Return a volume and its labels as one sample.

    Parameters
    ----------
    scan : Scan
        Of axes `ZYX` or `ZYXC`.
    labels : array
        Integers of the scan's `grid_shape`.
    reviewed : iterable of int, optional
        Reviewed slices; the other slices become `IGNORE_INDEX`. By default all are reviewed.
    normalise : NormaliseConfig
        Intensity window.

    Raises
    ------
    DataError
        If the scan is not a volume, or the grids of scan and labels differ.
    """
    name = scan_name(scan)
    if scan.grid_axes != "ZYX":
        raise DataError(
            f"{name} has the axes {scan.grid_axes} and the model takes volumes of ZYX; set "
            "model.dimensions to 2, or open a volume."
        )
    if tuple(labels.shape) != scan.grid_shape:
        raise DataError(
            f"The labels are on a grid of {tuple(labels.shape)} and {name} is on "
            f"{scan.grid_shape}; choose the labels that were made on this scan."
        )
    mask = np.array(labels)
    if reviewed is not None:
        unreviewed = np.ones(len(mask), bool)
        unreviewed[list(reviewed)] = False
        mask[unreviewed] = IGNORE_INDEX
    return Sample(name, np.asarray(scan.data), mask, name, window=_volume_window(scan, normalise))


def scan_name(scan: Scan) -> str:
    """Return the name of a scan for messages and groups."""
    return scan.path.name if scan.path is not None else "the open scan"


def slice_name(scan: Scan, index: int) -> str:
    """Return the name of a slice: of its file, or the scan's name with the slice's number."""
    if index < len(scan.names):
        return scan.names[index]
    return f"{scan_name(scan)}#{index}"


def _place_in_volume(scan: Scan, masks: str, place: Place) -> tuple[str, int] | None:
    """Return the volume of a slice and its number in it; None where slices are not of volumes.

    The masks of two people on one scan are two volumes.
    """
    if not scan.grid_axes.endswith("ZYX"):
        return None
    return f"{masks} {place[:-1]}", place[-1]


def _volume_window(scan: Scan, normalise: NormaliseConfig) -> Windows:
    colour = scan.axes.endswith("C")
    return scan_window(scan.data, normalise, channels=colour)
