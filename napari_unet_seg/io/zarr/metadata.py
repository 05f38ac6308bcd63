"""Metadata of OME-Zarr groups: axes, levels and units of OME-NGFF 0.4 and 0.5.

Specification: https://ngff.openmicroscopy.org/0.5/ (Moore et al. 2021, Nature Methods 18).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal

from napari_unet_seg.errors import DataError

Version = Literal["0.4", "0.5"]

KEY = "napari-unet-seg"
"""Attribute that holds what this package adds: `provenance` and `affine`."""

_TO_MM = {
    "nanometer": 1e-6,
    "micrometer": 1e-3,
    "millimeter": 1.0,
    "centimeter": 10.0,
    "meter": 1000.0,
}
_FINE = ("nanometer", "micrometer")
_TYPES = {"T": "time", "C": "channel", "Z": "space", "Y": "space", "X": "space"}
_UNIT_NAMES = {"mm": "millimeter", "µm": "micrometer"}


@dataclass(frozen=True, slots=True)
class Level:
    """One resolution level of an image; both tuples are in the order of the axes."""

    path: str
    scale: tuple[float, ...]
    translation: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class OmeImage:
    """Axes and levels of an image, sizes in `unit`."""

    version: Version
    axes: str
    """Letters as in `Scan`, in the order of the stored arrays."""
    unit: str
    """`mm`, `µm` or `pixel`."""
    levels: tuple[Level, ...]
    """Resolution levels, the finest first."""


def parse(attributes: Any, path: object) -> OmeImage:
    """Read the `multiscales` of a group's attributes.

    Raises
    ------
    DataError
        If the attributes are missing, invalid or of another version.
    """
    ome = attributes.get("ome", attributes) if isinstance(attributes, dict) else None
    if isinstance(ome, dict) and "plate" in ome:
        raise DataError(f"{path} is a plate of many images; choose one of the images in it.")
    try:
        return _parse(ome)
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(
            f"{path} cannot be read as OME-Zarr 0.4 or 0.5 ({type(error).__name__}: {reason}); "
            "choose the folder of an image, or write it again."
        ) from error


def channel_names(attributes: dict[str, Any]) -> tuple[str, ...]:
    """Return the names of the channels; empty if the group has none or in another form."""
    omero = attributes.get("ome", attributes).get("omero")
    channels = omero.get("channels") if isinstance(omero, dict) else None
    if not isinstance(channels, list) or not all(isinstance(c, dict) for c in channels):
        return ()
    return tuple(str(c.get("label") or "") for c in channels)


def _parse(ome: Any) -> OmeImage:
    multiscale = ome["multiscales"][0]
    version = str(ome.get("version") or multiscale.get("version") or "0.4")
    if version not in ("0.4", "0.5"):
        raise ValueError(f"its version is {version}")
    names = [_letter(axis) for axis in multiscale["axes"]]
    axes = "".join(names)
    if len(set(axes)) != len(axes) or not 2 <= len(axes) <= 5 or not axes.endswith("YX"):
        raise ValueError(f"its axes are {', '.join(axes)}")
    units = [axis.get("unit") for axis in multiscale["axes"]]
    unit, factors = _units(axes, units)
    outer = multiscale.get("coordinateTransformations", [])
    levels = tuple(_level(item, outer, factors) for item in multiscale["datasets"])
    if not levels:
        raise ValueError("it has no datasets")
    return OmeImage("0.5" if version == "0.5" else "0.4", axes, unit, levels)


def _letter(axis: dict[str, Any]) -> str:
    name = str(axis["name"]).upper()
    if axis.get("type") == "channel":
        return "C"
    if len(name) != 1 or not ("A" <= name <= "Z"):
        raise ValueError(f"it has an axis named {axis['name']}")
    return name


def _units(axes: str, units: list[Any]) -> tuple[str, tuple[float, ...]]:
    """Return the unit of `Scan`, and the conversion factor along each axis."""
    finest = units[-1]
    if finest not in _TO_MM:
        return "pixel", (1.0,) * len(axes)
    unit = "µm" if finest in _FINE else "mm"
    whole = _TO_MM["micrometer" if unit == "µm" else "millimeter"]
    return unit, tuple(
        _TO_MM.get(u, _TO_MM[finest]) / whole if axis in "ZYX" else 1.0
        for axis, u in zip(axes, units, strict=True)
    )


def _level(item: dict[str, Any], outer: list[Any], factors: tuple[float, ...]) -> Level:
    scale, translation = [1.0] * len(factors), [0.0] * len(factors)
    # Transformations of the level apply first, then those of the image, in their order.
    for step in (*item["coordinateTransformations"], *outer):
        kind = step["type"]
        if kind == "identity":
            continue
        values = [_number(value) for value in step[kind]]
        if len(values) != len(factors):
            raise ValueError(f"a {kind} has {len(values)} numbers for {len(factors)} axes")
        if kind == "scale":
            scale = [a * b for a, b in zip(scale, values, strict=True)]
            translation = [a * b for a, b in zip(translation, values, strict=True)]
        elif kind == "translation":
            translation = [a + b for a, b in zip(translation, values, strict=True)]
        else:
            raise ValueError(f"it has a transformation {kind}")
    if min(scale) <= 0:
        raise ValueError("a scale is not above zero")
    sizes = tuple(a * f for a, f in zip(scale, factors, strict=True))
    shifts = tuple(a * f for a, f in zip(translation, factors, strict=True))
    return Level(str(item["path"]), sizes, shifts)


def _number(value: Any) -> float:
    number = float(value)
    if not isfinite(number):
        raise ValueError(f"{value} is not a number")
    return number


def for_labels(image: OmeImage) -> OmeImage:
    """Return the metadata of a mask of an image: the image's without channels."""
    if "C" not in image.axes:
        return image
    place = image.axes.index("C")

    def without(values: tuple[float, ...]) -> tuple[float, ...]:
        return values[:place] + values[place + 1 :]

    levels = tuple(
        Level(level.path, without(level.scale), without(level.translation))
        for level in image.levels
    )
    return OmeImage(image.version, image.axes.replace("C", ""), image.unit, levels)


def to_attributes(
    image: OmeImage, name: str, label: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the attributes of a group, with `image-label` for a mask."""
    multiscale = {
        "name": name,
        "axes": [_axis(letter, image.unit) for letter in image.axes],
        "datasets": [
            {
                "path": level.path,
                "coordinateTransformations": [
                    {"type": "scale", "scale": list(level.scale)},
                    {"type": "translation", "translation": list(level.translation)},
                ],
            }
            for level in image.levels
        ],
    }
    parts: dict[str, Any] = {"multiscales": [multiscale]}
    if label is not None:
        parts["image-label"] = label
    if image.version == "0.5":
        return {"ome": {"version": "0.5", **parts}}
    multiscale["version"] = "0.4"
    return parts


def _axis(letter: str, unit: str) -> dict[str, str]:
    axis = {"name": letter.lower()}
    if letter in _TYPES:
        axis["type"] = _TYPES[letter]
    if letter in "ZYX" and unit in _UNIT_NAMES:
        axis["unit"] = _UNIT_NAMES[unit]
    return axis
