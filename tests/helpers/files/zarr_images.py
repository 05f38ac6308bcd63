"""OME-Zarr images for tests, written by zarr alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import zarr

if TYPE_CHECKING:
    from pathlib import Path

TYPES = {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}
SIZES = {"z": 3.0, "y": 0.5, "x": 0.25}


def write_image(
    path: Path,
    axes: str = "zyx",
    shape: tuple[int, ...] = (4, 20, 30),
    *,
    version: str = "0.4",
    unit: str | None = "millimeter",
    levels: int = 1,
    **more: Any,
) -> np.ndarray[Any, Any]:
    """Write an image as the specification has it; `more` goes into its `multiscales`."""
    data = np.arange(np.prod(shape), dtype=np.uint16).reshape(shape) % 999
    v3 = version == "0.5"
    group = zarr.create_group(path, zarr_format=3 if v3 else 2)
    datasets = []
    for level in range(levels):
        step = tuple(2**level if axis in "yx" else 1 for axis in axes)
        part = data[tuple(slice(None, None, s) for s in step)]
        how: dict[str, Any] = {} if v3 else {"chunk_key_encoding": {"name": "v2", "separator": "/"}}
        chunks = tuple(min(n, 8) for n in part.shape)
        array = group.create_array(
            f"s{level}", shape=part.shape, chunks=chunks, dtype=part.dtype, **how
        )
        array[...] = part
        scale = [SIZES.get(axis, 1.0) * n for axis, n in zip(axes, step, strict=True)]
        datasets.append(
            {"path": f"s{level}", "coordinateTransformations": [{"type": "scale", "scale": scale}]}
        )
    named = [
        {"name": a, "type": TYPES[a], **({"unit": unit} if unit and a in "zyx" else {})}
        for a in axes
    ]
    multiscales: list[dict[str, Any]] = [{"axes": named, "datasets": datasets, **more}]
    if v3:
        group.attrs["ome"] = {"version": version, "multiscales": multiscales}
    else:
        multiscales[0]["version"] = version
        group.attrs["multiscales"] = multiscales
    return data
