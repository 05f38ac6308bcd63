"""Dimensions of frames other than space: time, echo, diffusion and the like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

DIMENSIONS = ("time", "echo", "trigger time", "b-value", "gradient", "image type", "acquisition")
"""Names of the dimensions, for messages."""

_ATTRIBUTES = (
    (("FrameContentSequence", "TemporalPositionIndex"), ("", "TemporalPositionIdentifier")),
    (("MREchoSequence", "EffectiveEchoTime"), ("", "EchoTime"), ("", "EchoNumbers")),
    (("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime"), ("", "TriggerTime")),
    (("MRDiffusionSequence", "DiffusionBValue"),),
    (("MRDiffusionSequence", "DiffusionGradientOrientation"),),
    (("MRImageFrameTypeSequence", "FrameType"), ("", "ImageType")),
    (("FrameContentSequence", "FrameAcquisitionNumber"), ("", "AcquisitionNumber")),
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


def _tuple(value: Any) -> tuple[Any, ...]:
    items = (value,) if isinstance(value, str | int | float) else tuple(value)
    return tuple(v if isinstance(v, str) else float(v) for v in items)
