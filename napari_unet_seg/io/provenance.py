"""Provenance of a mask, which is stored in the mask's file.

Names and hashes tell which scan and which model it was; folders of this machine are no business of
whoever gets the file.
"""

from __future__ import annotations

import gzip
import os
import zlib
from datetime import UTC, datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from napari_unet_seg import __version__
from napari_unet_seg.errors import ChangedError, DataError
from napari_unet_seg.io.hashing import sha256

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from napari_unet_seg.config import Category


_HEAD = 2**14
"""Bytes at the start of a file that hold its provenance, if there is any."""


def provenance(
    source: Path | None, categories: Sequence[Category], model: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the provenance of a mask that is written now.

    Parameters
    ----------
    source : Path, optional
        File or folder of the scan; its hash is omitted if it does not exist any more.
    categories : sequence of Category
        Categories of the label values from 1, in order.
    model : mapping, optional
        `path` and `sha256` of the checkpoint that predicted the mask.

    Returns
    -------
    dict
        Values that can be written as JSON.
    """
    described: dict[str, Any] = {}
    if source is not None:
        described["source"] = source.absolute().name
        described["source_sha256"] = _hash(source)
    if model:
        described["model"] = PurePath(model.get("path", "")).name
        described["model_sha256"] = model.get("sha256")
    described["version"] = __version__
    described["time"] = datetime.now(UTC).isoformat(timespec="seconds")
    described["categories"] = [category.model_dump() for category in categories]
    return described


def check_ours(path: Path) -> None:
    """Check that a mask to write replaces no file of another program.

    Raises
    ------
    ChangedError
        If there is a file or folder, and this program has not written it.
    """
    if path.exists() and not is_ours(path):
        raise ChangedError(
            f"{path} exists and was not written by this program; move it, or write to another "
            "place.",
            path,
        )


def is_ours(path: Path) -> bool:
    """Whether this program has written a mask, the map of a prediction or a COCO file."""
    from napari_unet_seg.io.coco.document.parse import parse_file
    from napari_unet_seg.io.coco.write import DESCRIPTION
    from napari_unet_seg.io.read import read_scan

    try:
        if path.suffix.lower() == ".json":
            info = parse_file(path).check("dataset").get("info")
            return isinstance(info, dict) and info.get("description") == DESCRIPTION
        # A foreign DICOM SEG is described too, by its categories.
        return "version" in (read_scan(path).meta.get("description") or {})
    except DataError:
        return False


def is_written(path: Path) -> bool:
    """Whether the head of a file says that this program wrote it, as a mask or a map.

    No pixels are read, so that all files of a folder can be asked. False for what cannot be read.
    """
    if os.path.isdir(path):
        return is_ours(path)
    try:
        is_packed = path.name.lower().endswith(".nii.gz")
        with gzip.open(path) if is_packed else path.open("rb") as file:
            head = file.read(_HEAD)
    except (OSError, EOFError, zlib.error):
        return False
    return all(word in head for word in (b'"version"', b'"time"', b'"categories"'))


def _hash(source: Path) -> str | None:
    try:
        return sha256(source)
    except DataError:
        return None
