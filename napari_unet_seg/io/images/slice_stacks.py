"""Stacks whose slices are files of their own: `x_1.tif`, `x_2.tif`, `x_10.tif`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.names import (
    COLLECTIONS,
    masks_beside_scans,
    natural,
    numbered,
    sequence_in,
)
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.disk.files import is_backup, split_suffix
from napari_unet_seg.io.disk.listing import entries
from napari_unet_seg.io.images.photographs import (
    SUFFIXES,
    TIFF_SUFFIXES,
    image_layout,
    lazy_stack,
    read_image,
)
from napari_unet_seg.io.images.tiff import read_tiff

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import numpy as np

_COLOURS = (3, 4)
_FEWEST = 3
"""Fewer files of one name and several numbers are images of their own."""
_SLICE_STARTS = frozenset(("slice", "z"))
"""What the names of slices start with if they do not name the patient."""
_MOST = 512
"""Most slices of a stack whose slices do not name it; more images are a collection."""


def stacks_among(
    folder: Path, files: Iterable[Path], *, of_patient: bool = False
) -> dict[str, tuple[Path, ...]]:
    """Return the stacks among the files of a folder, each by the start of its slices' names.

    Files form a stack if their names differ only in the number at the end, and start with the name
    of the folder, or with a word for a slice in a folder that is no collection. Masks of the slices
    are left out. Numbered volumes are no slices.

    Parameters
    ----------
    folder : Path
        The folder.
    files : iterable of Path
        Its files.
    of_patient : bool
        Whether the folder is known to be that of one patient: then any names form a stack whose
        numbers have no gap.
    """
    pictures = [p for p in files if p.name.lower().endswith((*SUFFIXES, *TIFF_SUFFIXES))]
    masks = set(masks_beside_scans(pictures))
    of_patient = of_patient and folder.name.lower() not in COLLECTIONS
    stacks: dict[str, dict[int, Path]] = {}
    for path in sorted(pictures, key=lambda p: natural(p.name)):
        own = numbered(split_suffix(path)[0])
        if own is not None and path not in masks:
            stacks.setdefault(own.start, {})[own.number] = path
    found = {start: tuple(slices.values()) for start, slices in stacks.items()}
    return {
        start: slices
        for start, slices in found.items()
        if len(slices) >= _FEWEST
        and (_is_of(folder, start) or (of_patient and _is_without_gap(stacks[start])))
        and _is_slice(slices[0])
    }


def stacks_in(folder: Path) -> dict[str, tuple[Path, ...]]:
    """Return the stacks in the folder of a patient, see `stacks_among`."""
    files = (path for path in entries(folder) if not is_backup(path))
    return stacks_among(folder, files, of_patient=True)


def stack_name(start: str) -> str:
    """Return the name of a stack by the start of its slices' names: `t1` for `t1_001.tif`."""
    return start.strip("_-. ")


def read_slice_folder(folder: Path) -> Scan:
    """Read the only stack in a folder, see `read_slices`.

    Raises
    ------
    DataError
        If the folder holds several stacks, or a slice cannot be read.
    """
    stacks = stacks_in(folder)
    if len(stacks) > 1:
        listed = ", ".join(f"{start}… ({len(files)})" for start, files in stacks.items())
        raise DataError(
            f"{folder} holds {len(stacks)} stacks of slices: {listed}; move each into a folder of "
            "its own."
        )
    return read_slices(next(iter(stacks.values())), folder)


def read_slices(files: Sequence[Path], folder: Path | None = None) -> Scan:
    """Return a stack of slices, each of which is read when it is needed.

    Returns
    -------
    Scan
        Of axes `ZYX`, or `ZYXC` for coloured slices, with the first slice's pixel size and 1 along
        Z; `meta["paths"]` are the files.

    Raises
    ------
    DataError
        If a file cannot be read, or the slices differ in size or type.
    """
    layout = image_layout(files[0])
    for path in files:
        if (own := image_layout(path)) != layout:
            raise DataError(
                f"{path} holds {_described(own)} and {files[0].name} {_described(layout)}, so that "
                "they are no stack; move the file, or open the images one by one."
            )
    is_tiff = files[0].suffix.lower() in TIFF_SUFFIXES
    first = read_tiff(files[0]) if is_tiff else read_image(files[0])
    meta = {"paths": tuple(files)}
    spacing = (1.0, *first.spacing)
    data = lazy_stack(files, *layout)
    return Scan(data, f"Z{first.axes}", spacing, first.unit, folder, meta=meta)


def _is_of(folder: Path, start: str) -> bool:
    """Whether a name's start says that its slices belong to the patient of the folder."""
    named, own = stack_name(start).lower(), folder.name.lower()
    if own in COLLECTIONS or named in COLLECTIONS - _SLICE_STARTS:
        return False
    if named in _SLICE_STARTS or sequence_in(named) is not None:
        return True
    longer, shorter = sorted((named, own), key=len, reverse=True)
    return bool(shorter) and longer.startswith(shorter) and not longer[len(shorter) :][:1].isalpha()


def _is_without_gap(numbers: Iterable[int]) -> bool:
    ordered = sorted(numbers)
    return len(ordered) <= _MOST and ordered[-1] - ordered[0] == len(ordered) - 1


def _is_slice(path: Path) -> bool:
    try:
        shape, _ = image_layout(path)
    except DataError:
        return True  # it is named when the stack is read
    return len(shape) == 2 or (len(shape) == 3 and shape[-1] in _COLOURS)


def _described(layout: tuple[tuple[int, ...], np.dtype[Any]]) -> str:
    return f"{'×'.join(map(str, layout[0]))} {layout[1]}"
