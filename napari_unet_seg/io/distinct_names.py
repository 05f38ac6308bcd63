"""Names of files that are told apart by what differs in their paths."""

from __future__ import annotations

import os
from collections import defaultdict
from itertools import takewhile
from typing import TYPE_CHECKING

from napari_unet_seg.io.disk.files import split_suffix
from napari_unet_seg.io.zarr.read import is_zarr

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def short_name(path: Path) -> str:
    """Return the name of a scan: of a file or OME-Zarr without its suffix, or of a folder."""
    return path.name if os.path.isdir(path) and not is_zarr(path) else split_suffix(path)[0]


def distinct_names(paths: Sequence[Path]) -> list[str]:
    """Return a name of its own, without suffix, for each file or folder.

    Files of one name get the folders in which their paths differ in front of it: `p1_t1` and
    `p2_t1` for `p1/2024/t1.nii` and `p2/2024/t1.nii`. Files in one folder that differ in nothing
    but their suffix get numbers.
    """
    alike: dict[str, list[int]] = defaultdict(list)
    for at, path in enumerate(paths):
        alike[short_name(path).lower()].append(at)
    names = [short_name(path) for path in paths]
    for places in alike.values():
        folders = [paths[at].absolute().parts[:-1] for at in places]
        for at, differing in zip(places, _differing(folders), strict=True):
            names[at] = "_".join([*(part.strip(":/\\") for part in differing), names[at]])
    return _numbered(names)


def _differing(folders: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return the parts of paths in which they differ."""
    first = _shared(folders)
    rest = [parts[first:] for parts in folders]
    last = _shared([parts[::-1] for parts in rest])
    rest = [parts[: len(parts) - last] for parts in rest]
    if len({*map(len, rest)}) > 1:
        return rest
    kept = [at for at, column in enumerate(zip(*rest, strict=True)) if len({*column}) > 1]
    return [tuple(parts[at] for at in kept) for parts in rest]


def _shared(rows: Sequence[tuple[str, ...]]) -> int:
    """Return how many parts all rows begin with."""
    return sum(1 for _ in takewhile(lambda column: len({*column}) == 1, zip(*rows, strict=False)))


def _numbered(names: Sequence[str]) -> list[str]:
    """Number equal names; file systems may not tell capitals from small letters."""
    taken: set[str] = set()
    tried: dict[str, int] = {}
    found = []
    for name in names:
        own = name
        while own.lower() in taken:
            tried[name] = tried.get(name, 1) + 1
            own = f"{name}_{tried[name]}"
        taken.add(own.lower())
        found.append(own)
    return found
