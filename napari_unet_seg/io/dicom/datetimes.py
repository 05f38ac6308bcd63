"""What tells several images of one place apart: time, echo, diffusion and the like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

MOMENTS = ("time", "echo", "trigger time", "b-value", "gradient", "image type", "acquisition")
"""What each value of a moment is, in words."""

_PLACES = (
    (("FrameContentSequence", "TemporalPositionIndex"), ("", "TemporalPositionIdentifier")),
    (("MREchoSequence", "EffectiveEchoTime"), ("", "EchoTime"), ("", "EchoNumbers")),
    (("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime"), ("", "TriggerTime")),
    (("MRDiffusionSequence", "DiffusionBValue"),),
    (("MRDiffusionSequence", "DiffusionGradientOrientation"),),
    (("MRImageFrameTypeSequence", "FrameType"), ("", "ImageType")),
    (("FrameContentSequence", "FrameAcquisitionNumber"), ("", "AcquisitionNumber")),
)
"""Functional group and attribute of each, from PS3.3 C.8.13 (Enhanced MR), or else C.8.3 (MR)."""


def read_moment(look: Callable[[str, str], Any]) -> tuple[tuple[Any, ...], ...]:
    """Return the values of `MOMENTS` of a frame, each empty where the file has none.

    Parameters
    ----------
    look : callable
        Gives the value of an attribute, by the sequence of its functional group and its keyword.
    """
    return tuple(
        next((_tuple(v) for place in choices if (v := look(*place)) is not None), ())
        for choices in _PLACES
    )


def _tuple(value: Any) -> tuple[Any, ...]:
    items = (value,) if isinstance(value, str | int | float) else tuple(value)
    return tuple(v if isinstance(v, str) else float(v) for v in items)
