"""Slices of a scan, normalised as the input of a network."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.errors import DataError
from napari_unet_seg.inference.slabs import DEPTH, Slabs
from napari_unet_seg.io.common.channels import for_model
from napari_unet_seg.io.common.named_channels import by_name
from napari_unet_seg.io.common.places import place_at
from napari_unet_seg.io.common.window import Windows, scan_window, shared_window, to_grey, to_uint8
from napari_unet_seg.io.disk.files import reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.models.header import CheckpointInfo


SMALLEST = 16
"""Smallest height and width of a slice, in pixels."""
_NORMALISED = (0.0, 255.0)
"""The intensity window that keeps the values of slices that are normalised already."""


class SliceReader:
    """Reader of the normalised slices of a scan, one at a time.

    Parameters
    ----------
    scan : Scan
        Any number of axes before `YX`; an array other than of numpy is read lazily.
    info : CheckpointInfo
        Channels and normalisation of the model. Channels with names are found by these; a model
        of one channel takes the first of several without.
    across : str
        `Z`, `Y` or `X`: the axis that slices are taken across, in a scan whose axes end with
        `ZYX`. Empty takes slices along Y and X.
    window : tuple of float, optional
        Intensities that become black and white; taken from the scan by default.

    Attributes
    ----------
    scan : Scan
        With the channels of the model.
    window : tuple of float or None
        Intensities that become black and white; None if each slice has its own.
    leading, plane : tuple of int
        Sizes of the axes that slices are counted along; height and width of a slice in pixels.
    count : int
        Number of slices.
    channels : int
        Number of channels of the slices that `read` returns.
    in_memory : bool
        Whether the scan's array is in memory.
    aspect : float
        Height of a pixel over its width across Y or X, else 1, as in the training slices.

    Raises
    ------
    DataError
        If the slices are too small, or their channels do not fit the model.
    """

    def __init__(
        self, scan: Scan, info: CheckpointInfo, across: str = "", window: Windows | None = None
    ) -> None:
        scan, _ = for_model(by_name(scan, info.sequences), info.model.in_channels)
        self.scan = scan
        self._info = info
        self._colour = scan.axes.endswith("C")
        self._axis = scan.grid_axes.index(across) if across else 0
        self._data = self.slabs(scan.data) if across else by_chunks(scan)
        shape = tuple(int(n) for n in self._data.shape[: len(scan.grid_shape)])
        self.leading, self.plane = shape[:-2], shape[-2:]
        self.count = int(np.prod(self.leading))
        self.channels = info.model.in_channels
        self.in_memory = isinstance(scan.data, np.ndarray)
        self.aspect = _aspect(scan, across)
        _check(scan, info, self.plane, across)
        self.window = window or shared_window(scan, info.normalise)

    def across(self, axis: str) -> SliceReader:
        """Return a reader of the same volumes with slices across `Z`, `Y` or `X`.

        Raises
        ------
        DataError
            If the scan has no such axis, or the slices across it are too small.
        """
        scan = self.scan
        if not self.volumes:
            raise DataError(
                f"{scan.path or 'The scan'} has the axes {scan.grid_axes} and no volume to take "
                "slices of across other axes; set across to Z."
            )
        return SliceReader(scan, self._info, axis, self.window)

    def for_copy(self, array: Any) -> SliceReader:
        """Return a reader of an array that holds the slices which this reader has read.

        Parameters
        ----------
        array : array
            uint8 of the scan's grid, with the channels as last axis.
        """
        scan = replace(self.scan, data=array, axes=f"{self.scan.grid_axes}C")
        return SliceReader(scan, self._info, "Z", _NORMALISED)

    def beside(self, info: CheckpointInfo) -> SliceReader:
        """Return a reader of the same slices for a model of one channel."""
        return SliceReader(self.scan, info, window=self.grey_window)

    @property
    def grey_window(self) -> Windows | None:
        """The window of the scan for a model of one channel, if it is known."""
        return self.window if self.channels == 1 else None

    def slabs(self, array: Any) -> Slabs:
        """Return access to an array of the scan's grid by the slices of this reader."""
        return Slabs(array, self._axis, len(self.scan.grid_shape) - 3)

    @property
    def volumes(self) -> bool:
        """Whether the slices along the last leading axis form a volume."""
        return self.scan.grid_axes.endswith("ZYX")

    def slices_per_volume(self) -> int:
        """Return the number of slices of each volume of the scan.

        Raises
        ------
        DataError
            If the scan has no axis `Z` before `YX`.
        """
        if not self.volumes:
            raise DataError(
                f"{self.scan.path or 'The scan'} has the axes {self.scan.grid_axes} and the "
                "model takes volumes; choose a model of slices."
            )
        return self.leading[-1]

    def position(self, index: int) -> tuple[int, ...]:
        """Return the index along each leading axis of the slice of a running number."""
        return place_at(index, self.leading)

    def read(self, indices: Sequence[int]) -> Array:
        """Return uint8 slices of shape (B, C, Y, X)."""
        return np.stack([self._read_slice(self.position(index)) for index in indices])

    def _read_slice(self, position: tuple[int, ...]) -> Array:
        with reading(self.scan.path or "The scan", "a scan"):
            plane = np.asarray(self._data[position])
        if not self._colour:
            plane = plane[..., None]
        elif self._info.model.in_channels == 1:
            plane = to_grey(plane)[..., None]
        window = self.window or scan_window(
            plane,
            self._info.normalise,
            channels=self._colour,
            dtype=self.scan.data.dtype,
        )
        return np.moveaxis(to_uint8(plane, window), -1, 0)


def by_chunks(scan: Scan) -> Any:
    """Return the scan's array, in slabs of its chunks' depth, so that each chunk is read once."""
    axis = len(scan.grid_shape) - 3
    chunk = getattr(scan.data, "chunksize", ())  # of dask
    depth = min(DEPTH, chunk[axis]) if chunk and axis >= 0 else 1
    return Slabs(scan.data, axis, axis, depth) if depth > 1 else scan.data


def _aspect(scan: Scan, axis: str) -> float:
    if axis in ("", "Z"):
        return 1.0
    height, width = (s for s, a in zip(scan.spacing[-3:], "ZYX", strict=True) if a != axis)
    return height / width


def _check(scan: Scan, info: CheckpointInfo, plane: tuple[int, ...], across: str) -> None:
    name = scan.path or "The scan"
    if info.model.prompts:
        raise DataError(
            f"{name} cannot be segmented by a model that follows prompts alone; choose another "
            "model."
        )
    if not scan.grid_axes.endswith("YX") or min(plane) < SMALLEST:
        raise DataError(
            f"{name} has slices of {plane} pixels; give slices of at least {SMALLEST} on each side"
            f"{'' if across in ('', 'Z') else ', or set across to Z'}."
        )
    channels, wanted = scan.data.shape[-1] if "C" in scan.axes else 1, info.model.in_channels
    if wanted not in (1, channels):
        raise DataError(
            f"{name} has {channels} channels and the model takes {wanted}; choose a model that "
            f"was trained on scans of {channels} channels."
        )
