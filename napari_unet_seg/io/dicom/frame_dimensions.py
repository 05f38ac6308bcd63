"""Dimensions of frames other than space: time, echo, diffusion and the like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

DIMENSIONS = ("time", "echo", "trigger time", "b-value", "gradient", "image type")
"""Names of the dimensions, for messages."""
RANKED = ("time", "trigger time")
"""Dimensions whose values are measured, and may differ between the slices of one volume."""
MOMENTS = ("acquisition", "time of acquisition", "time of content", "number")
"""What tells images apart that share their dimensions: each may also differ between the slices of
one volume."""

_ATTRIBUTES = (
    (("FrameContentSequence", "TemporalPositionIndex"), ("", "TemporalPositionIdentifier")),
    (("MREchoSequence", "EffectiveEchoTime"), ("", "EchoTime"), ("", "EchoNumbers")),
    (("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime"), ("", "TriggerTime")),
    (("MRDiffusionSequence", "DiffusionBValue"),),
    (("MRDiffusionSequence", "DiffusionGradientOrientation"),),
    (("MRImageFrameTypeSequence", "FrameType"), ("", "ImageType")),
)
"""Functional group and attribute of each dimension: from PS3.3 C.8.13 (Enhanced MR), else from
C.8.3 (MR)."""


def read_dimensions(read: Callable[[str, str], Any]) -> tuple[tuple[Any, ...], ...]:
    """Read the values of `DIMENSIONS` of a frame; a value is empty if the file does not have it.

    Parameters
    ----------
    read : callable
        Returns the value of an attribute, or None, by the sequence of its functional group and its
        keyword.
    """
    return tuple(
        next((_tuple(v) for attribute in choices if (v := read(*attribute)) is not None), ())
        for choices in _ATTRIBUTES
    )


def read_moments(read: Callable[[str, str], Any], number: int, index: int) -> tuple[Any, ...]:
    """Read the values of `MOMENTS` of a frame, which can be compared with those of other frames.

    Parameters
    ----------
    read : callable
        As for `read_dimensions`.
    number, index : int
        Instance number of the file, and number of the frame in the file.
    """

    def text(keyword: str) -> str:
        return str(read("", keyword) or "")

    acquisition = read("FrameContentSequence", "FrameAcquisitionNumber")
    start = read("FrameContentSequence", "FrameAcquisitionDateTime")
    day = str(start or text("AcquisitionDateTime") or text("AcquisitionDate"))
    return (
        int(acquisition or text("AcquisitionNumber") or 0),
        day + text("AcquisitionTime"),
        text("ContentDate") + text("ContentTime"),
        (number, index),
    )


def _tuple(value: Any) -> tuple[Any, ...]:
    items = (value,) if isinstance(value, str | int | float) else tuple(value)
    return tuple(v if isinstance(v, str) else float(v) for v in items)
