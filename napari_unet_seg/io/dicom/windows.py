"""The windows of grey values that a DICOM file proposes (PS3.3 C.11.2, VOI LUT)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydicom.multival import MultiValue

from napari_unet_seg.io.common.window import FileWindow

if TYPE_CHECKING:
    from collections.abc import Callable

    import pydicom

_GROUP = "FrameVOILUTSequence"


def windows_of(
    header: pydicom.Dataset, read: Callable[[str, str], Any], slope: float, intercept: float
) -> tuple[FileWindow, ...]:
    """Return the windows of a frame, in the rescaled values that `read_dicom` returns.

    Parameters
    ----------
    header : pydicom.Dataset
        Header of the file.
    read : callable
        Returns the value of a keyword, in the frame's group of a sequence or in the file.
    slope, intercept : float
        Rescaling of the frame's stored values.
    """
    centres, widths, names = (
        _list(read(_GROUP, keyword))
        for keyword in ("WindowCenter", "WindowWidth", "WindowCenterWidthExplanation")
    )
    is_exact = str(read(_GROUP, "VOILUTFunction") or "LINEAR") != "LINEAR"
    windows = []
    for number, (centre, width) in enumerate(zip(centres, widths, strict=False)):
        name = str(names[number]) if number < len(names) and names[number] else ""
        limits = _limits(float(centre), float(width), is_exact=is_exact)
        if limits[1] > limits[0]:
            windows.append(FileWindow(name, *_inverted(header, limits, slope, intercept)))
    return tuple(windows)


def _limits(centre: float, width: float, *, is_exact: bool) -> tuple[float, float]:
    """Return the values that become black and white; whole numbers count as bins, if LINEAR."""
    if is_exact:
        return centre - width / 2, centre + width / 2
    return centre - 0.5 - (width - 1) / 2, centre - 0.5 + (width - 1) / 2


def _inverted(
    header: pydicom.Dataset, limits: tuple[float, float], slope: float, intercept: float
) -> tuple[float, float]:
    """Return limits for stored values that were inverted, because high values are dark."""
    if header.get("PhotometricInterpretation", "") != "MONOCHROME1":
        return limits
    signed = int(header.get("PixelRepresentation", 0) or 0)
    highest = -1 if signed else (1 << int(header.get("BitsStored", 16))) - 1
    turned = slope * highest + 2 * intercept
    return turned - limits[1], turned - limits[0]


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, MultiValue | list | tuple) else [value]
