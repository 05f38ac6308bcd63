"""Intensity windows: the values of a scan that become black and white."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import NormaliseConfig
    from napari_unet_seg.io.common.scan import Scan

Window = tuple[float, float]
Windows = Window | tuple[Window, ...]
"""One window for all channels, or one for each."""


WINDOWS = "windows"
"""Key of the file's windows in a scan's `meta`, the first of which it is to be shown with."""


class FileWindow(NamedTuple):
    """A window that a file proposes."""

    name: str
    """What the file calls it; may be empty."""
    low: float
    high: float
    """In the values of the scan; above `low`."""


class Windowed(NamedTuple):
    """A scan in the windows that it is seen in."""

    scan: Scan
    window: Windows | None = None
    """None for those that the scan has by itself."""


_SAMPLED_SLICES = 64
_SAMPLED_VOXELS = 2_000_000
_WHOLE_FLOATS = 2**24
"""Up to this number float32 holds every whole number."""
_BACKGROUND_SHARE = 0.1
"""Smallest share of voxels with the lowest value for this value to be the background."""


def scan_window(
    data: Any,
    normalise: NormaliseConfig,
    *,
    channels: bool = False,
    dtype: np.dtype[Any] | None = None,
) -> Windows:
    """Return the intensity window of a scan, or of each of its channels.

    Parameters
    ----------
    data, channels
        As `percentile_window` takes them.
    normalise : NormaliseConfig
        Kind of the window, and its limits.
    dtype : numpy.dtype, optional
        Data type of the stored scan, if the conversion of colours to grey has made floats of it.
    """
    if channels and normalise.per_channel:
        kind = np.dtype(dtype or data.dtype)
        return tuple(_window(data[..., i], normalise, kind) for i in range(data.shape[-1]))
    return _window(data, normalise, np.dtype(dtype or data.dtype), channels=channels)


def _window(
    data: Any, normalise: NormaliseConfig, dtype: np.dtype[Any], *, channels: bool = False
) -> Window:
    low, high = normalise.low, normalise.high
    if normalise.window == "percentile":
        return percentile_window(data, low, high, channels=channels)
    bottom, top = _range(dtype)
    return bottom + low / 100 * (top - bottom), bottom + high / 100 * (top - bottom)


def shared_window(scan: Scan, normalise: NormaliseConfig) -> Windows | None:
    """Return the window, or windows, that all slices of a scan share; None if each has its own."""
    if len(scan.grid_axes) < 3 or "N" in scan.axes:
        return None
    return scan_window(
        scan.data, normalise, channels=scan.axes.endswith("C"), dtype=scan.data.dtype
    )


def _range(dtype: np.dtype[Any]) -> Window:
    """Return the range of a data type; floats are assumed to be in 0…1."""
    if dtype.kind in "iu":
        return 0.0, float(np.iinfo(dtype).max)
    return 0.0, 1.0


def percentile_window(data: Any, low: float, high: float, *, channels: bool = False) -> Window:
    """Return percentiles over the finite voxels of a scan that are not background.

    The background value is 0. In a scan that was shifted to a mean of 0, as skull-stripped scans
    often are, it is the lowest value, if that is negative and common.

    Large scans are sampled in at most 64 evenly spaced slices, so that a lazily read volume is
    never in memory as a whole.

    Parameters
    ----------
    data : array
        numpy or dask array; slices along all axes but the last two (or three, with `channels`).
    low, high : float
        Percentiles in 0…100.
    channels : bool
        Whether the last axis holds channels.

    Returns
    -------
    tuple of float
        Two finite values, the first below the second.
    """
    values = _sampled(data, channels).ravel()
    values = values[:: max(1, values.size // _SAMPLED_VOXELS)]
    values = values[np.isfinite(values)] if values.dtype.kind in "fc" else values
    inside = _without_background(values).astype(np.float64)  # no percentiles of booleans in numpy
    if not inside.size:
        return 0.0, 1.0
    bottom, top = (float(v) for v in np.percentile(inside, (low, high)))
    return (bottom, top) if top > bottom else (bottom, bottom + 1.0)


def _without_background(values: Array) -> Array:
    inside = values[values != 0]
    lowest = inside.min(initial=0)
    above: Array = inside[inside > lowest]
    is_background = inside.size - above.size >= _BACKGROUND_SHARE * values.size
    return above if lowest < 0 and above.size and is_background else inside


def _sampled(data: Any, channels: bool) -> Array:
    most, leading = _SAMPLED_SLICES, data.shape[: data.ndim - 2 - channels]
    for axis, length in enumerate(leading):
        # Sample several volumes and slices of each, since times and echoes differ.
        share = round(most ** (1 / (len(leading) - axis)))
        data = data[(*[slice(None)] * axis, slice(None, None, max(1, -(-length // share))))]
        most //= max(1, data.shape[axis])
    return np.asarray(data)


def fits_float32(values: Array) -> bool:
    """Whether the largest of some numbers is one that float32 tells from its neighbours.

    Beyond 2²⁴ float32 merges whole numbers, further on it has no number, and tiny ones become 0.
    """
    low = np.fmin.reduce(values, axis=None, initial=0)
    size = max(-low, np.fmax.reduce(values, axis=None, initial=0))
    if np.isinf(size):
        size = np.abs(values[np.isfinite(values)]).max(initial=0)
    return bool(size == 0 or np.finfo(np.float32).tiny <= size <= _WHOLE_FLOATS)


def to_uint8(array: Array, window: Windows) -> Array:
    """Map a window to 0…255, clipped, as uint8; voxels that are not finite become 0.

    Of several windows each is that of a channel along the last axis.
    """
    low, high = np.moveaxis(np.asarray(window, float), -1, 0)
    kind = np.float32 if fits_float32(np.array(window)) else np.float64
    with np.errstate(over="ignore"):  # of values far outside the window
        scaled: Array = array.astype(kind)  # a copy, on which the rest is done in place
    scaled -= low.astype(kind)
    scaled *= (255.0 / (high - low)).astype(kind)
    if array.dtype.kind == "f":
        np.nan_to_num(scaled, copy=False, nan=0.0, posinf=255.0, neginf=0.0)
    return scaled.clip(0, 255, out=scaled).astype(np.uint8)


def to_grey(array: Array) -> Array:
    """Return the luminance (ITU-R BT.601) of an RGB or RGBA array, channels last, as float32.

    A single channel is returned unchanged; two, or more than four channels are averaged.
    """
    channels = array.shape[-1]
    if channels in (3, 4):
        weights = np.array([0.299, 0.587, 0.114], np.float32)
        return np.asarray(array[..., :3].astype(np.float32) @ weights)
    return np.asarray(array.astype(np.float32).mean(axis=-1))
