"""Axes and voxel size of a TIFF, from the metadata of ImageJ and OME or the plain tags."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import isclose, isfinite, prod
from typing import Any

import tifffile

from napari_unet_seg.errors import DataError

_UNITS = {
    "mm": ("mm", 1.0),
    "millimeter": ("mm", 1.0),
    "cm": ("mm", 10.0),
    "m": ("mm", 1000.0),
    "inch": ("mm", 25.4),
    "in": ("mm", 25.4),
    "µm": ("µm", 1.0),
    "μm": ("µm", 1.0),
    "um": ("µm", 1.0),
    "micron": ("µm", 1.0),
    "microns": ("µm", 1.0),
    "micrometer": ("µm", 1.0),
    "nm": ("µm", 0.001),
}
"""For each spelling of a unit: the unit of `Scan`, and the conversion factor."""
_PRINT_RESOLUTIONS = (0.0, 1.0, 72.0, 96.0, 100.0, 150.0, 200.0, 300.0, 600.0, 1200.0)
_TAG_UNITS = {2: "inch", 3: "cm"}


@dataclass(frozen=True, slots=True)
class Grid:
    """Axes, shape, spacing and unit as in `Scan`."""

    axes: str
    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    unit: str

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)


def grid_of(file: tifffile.TiffFile, stored: Any) -> tuple[Grid, tuple[int, ...]]:
    """Return the grid of a file's first series, and the order for transposing its axes.

    Parameters
    ----------
    file : TiffFile
        An open file.
    stored : dict or None
        The grid that this package stored in the file, if any. It holds information that TIFF
        lacks, such as axes of one element and independent slices, and is used if it fits the file.
    """
    axes = _named(file.series[0].axes, file)
    shape = tuple(int(n) for n in file.series[0].shape)
    sizes, unit = _voxel_size(file)
    restored = _restored(stored, axes, shape, sizes, unit)
    if restored is not None:
        return restored
    order = _channels_last(axes)
    axes = "".join(axes[i] for i in order)
    spacing = tuple(sizes.get(axis, 1.0) for axis in axes if axis != "C")
    return Grid(axes, tuple(shape[i] for i in order), spacing, unit), order


def _named(axes: str, file: tifffile.TiffFile) -> str:
    """Convert the axes of a TIFF to the axes of a scan."""
    axes = axes.replace("S", "C").replace("W", "X").replace("H", "Y")
    free = [a for a in "ZTN" if a not in axes]
    named = ""
    for axis in axes:
        is_scan_axis = axis in "ZTNCYX"
        named += axis if is_scan_axis else free.pop(0) if free else "?"
    if len(set(named)) < len(named) or "?" in named or not {"Y", "X"} <= set(named):
        raise DataError(
            f"{file.filename} has the axes {axes}, which cannot be shown as one scan; save it "
            "with fewer axes."
        )
    return named


def _channels_last(axes: str) -> tuple[int, ...]:
    leading = [i for i, axis in enumerate(axes) if axis not in "YXC"]
    return (*leading, *(axes.index(axis) for axis in "YXC" if axis in axes))


def _restored(
    stored: Any, axes: str, shape: tuple[int, ...], sizes: dict[str, float], unit: str
) -> tuple[Grid, tuple[int, ...]] | None:
    """Return the stored grid if it fits the file, which another program may have changed."""
    try:
        grid = Grid(stored["axes"], tuple(stored["shape"]), tuple(stored["spacing"]), "")
        names = common_axes(grid.axes)
        spacing = dict(zip(names.replace("C", ""), grid.spacing, strict=True))
        order = tuple(axes.index(name) for name in names if name in axes)
        lengths = [n for n, name in zip(grid.shape, names, strict=True) if name in axes]
        if sorted(order) != list(range(len(axes))) or [shape[i] for i in order] != lengths:
            return None
        if prod(grid.shape) != prod(shape):
            return None
        close = [
            isclose(size, sizes.get(axis, size), rel_tol=1e-4) for axis, size in spacing.items()
        ]
    except (TypeError, KeyError, ValueError, AttributeError):
        return None
    if not all(close) or stored.get("unit") not in ("mm", "µm", "pixel"):
        changed = tuple(sizes.get(axis, size) for axis, size in spacing.items())
        return Grid(grid.axes, grid.shape, changed, unit), order
    return Grid(grid.axes, grid.shape, grid.spacing, stored["unit"]), order


def _voxel_size(file: tifffile.TiffFile) -> tuple[dict[str, float], str]:
    if file.is_ome:
        return _ome_size(file)
    metadata = (file.imagej_metadata or {}) if file.is_imagej else {}
    if file.is_imagej:
        return _imagej_size(file, metadata)
    return _tag_size(file)


def _imagej_size(file: tifffile.TiffFile, metadata: dict[str, Any]) -> tuple[dict[str, float], str]:
    sizes = {axis: 1 / value for axis, value in _resolution(file).items()}
    if _number(metadata.get("spacing")):
        sizes["Z"] = abs(float(metadata["spacing"]))
    # ImageJ writes the units of Y and Z where they differ from that of X.
    names = {
        axis: str(metadata.get(f"{axis.lower()}unit", metadata.get("unit", "pixel")))
        for axis in "XYZ"
    }
    names = {axis: name.replace("\\u00B5", "µ") for axis, name in names.items()}
    sizes, unit = _in_one_unit(sizes, names)
    if _number(metadata.get("finterval")):
        sizes["T"] = float(metadata["finterval"])
    return sizes, unit


def _ome_size(file: tifffile.TiffFile) -> tuple[dict[str, float], str]:
    image = tifffile.xml2dict(file.pages[0].aspage().description).get("OME", {}).get("Image", {})
    pixels = (image[0] if isinstance(image, list) else image).get("Pixels", {})
    stored = [axis for axis in "XYZ" if _number(pixels.get(f"PhysicalSize{axis}"))]
    sizes, unit = _in_one_unit(
        {axis: float(pixels[f"PhysicalSize{axis}"]) for axis in stored},
        {axis: str(pixels.get(f"PhysicalSize{axis}Unit", "µm")) for axis in stored},
    )
    if _number(pixels.get("TimeIncrement")):
        sizes["T"] = float(pixels["TimeIncrement"])
    return sizes, unit


def _in_one_unit(sizes: dict[str, float], names: dict[str, str]) -> tuple[dict[str, float], str]:
    """Convert sizes along X, Y and Z, each with its unit, to one unit: µm only if all are fine.

    A size whose unit is no length has the unit of X; if X has none, all sizes are as stored.
    """
    whole, factor = _UNITS.get(names.get("X", ""), ("pixel", 1.0))
    if whole == "pixel":
        return sizes, whole
    found = {axis: _UNITS.get(names[axis], (whole, factor)) for axis in sizes}
    if any(unit == "mm" for unit, _ in found.values()):
        whole = "mm"
    same = {axis: 1.0 if unit == whole else 1e-3 for axis, (unit, _) in found.items()}
    return {axis: size * found[axis][1] * same[axis] for axis, size in sizes.items()}, whole


def _tag_size(file: tifffile.TiffFile) -> tuple[dict[str, float], str]:
    values = _resolution(file)
    if not values or set(values.values()) <= set(_PRINT_RESOLUTIONS):
        return {}, "pixel"
    tag = file.pages[0].aspage().tags.get("ResolutionUnit")
    name = _TAG_UNITS.get(int(tag.value) if tag is not None else 2, "pixel")
    unit, factor = _UNITS.get(name, ("pixel", 1.0))
    return {axis: factor / value for axis, value in values.items()}, unit


def _resolution(file: tifffile.TiffFile) -> dict[str, float]:
    """Return the pixels per unit along X and Y from the tags, if any."""
    values = {}
    tags = file.pages[0].aspage().tags
    for axis in "XY":
        tag = tags.get(f"{axis}Resolution")
        numerator, denominator = tag.value if tag is not None else (0, 1)
        if numerator and denominator:
            values[axis] = numerator / denominator
    return values


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and isfinite(value) and value != 0


def common_axes(axes: str) -> str:
    """Convert axes to the names in ImageJ and OME; independent slices become frames."""
    return axes.replace("N", "T" if "T" not in axes else "Z")


def metadata_for(grid: Grid, *, imagej: bool) -> tuple[list[int], dict[str, Any]]:
    """Return the order of the axes in ImageJ and OME, and the options for tifffile."""
    axes = common_axes(grid.axes)
    order = sorted(range(len(axes)), key=lambda i: "TZCYX".index(axes[i]))
    sizes = dict(zip(axes.replace("C", ""), grid.spacing, strict=True))
    options = _imagej_options(sizes, grid.unit) if imagej else _ome_options(sizes, grid.unit)
    options["metadata"]["axes"] = "".join(axes[i] for i in order)
    return order, options


def _imagej_options(sizes: dict[str, float], unit: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {"unit": "micron" if unit == "µm" else unit}
    if "Z" in sizes:
        metadata["spacing"] = sizes["Z"]
    if sizes.get("T", 1.0) != 1.0:
        metadata["finterval"] = sizes["T"]
    return {
        "metadata": metadata,
        "resolution": (1 / sizes["X"], 1 / sizes["Y"]),
        "resolutionunit": "NONE",
    }


def _ome_options(sizes: dict[str, float], unit: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    for axis in set(sizes) & set("XYZ"):
        metadata[f"PhysicalSize{axis}"] = sizes[axis]
        metadata[f"PhysicalSize{axis}Unit"] = unit
    if "T" in sizes:
        metadata["TimeIncrement"] = sizes["T"]
    return {"metadata": metadata}
