"""Search for the images of a COCO file."""

from __future__ import annotations

import os
import posixpath
import re
import unicodedata
from collections import Counter
from os.path import isdir, isfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PROBES = 64
"""Number of file names that are searched for in each candidate folder."""
_DEEPEST = 16
"""Number of folders up to which an end of a file name is searched for."""
_ALIASES = ("train", "training", "valid", "val", "validation", "test", "testing")


def clean_name(file_name: str) -> str:
    r"""Convert a `file_name` of COCO to a relative POSIX path; backslashes become slashes.

    Raises
    ------
    ValueError
        If the name is absolute or leaves the image folder, also after percent-decoding.
    """
    name = posixpath.normpath(file_name.replace("\\", "/"))
    for form in (name, posixpath.normpath(unquote(name).replace("\\", "/"))):
        if form.startswith(("../", "/")) or form == ".." or re.match("[A-Za-z]:", form):
            raise ValueError("its file name leaves the image folder")
        if not form.strip(".") or "\0" in form:
            raise ValueError("its file name is empty or broken")
    return name


class Ends(NamedTuple):
    """A file name as paths inside a folder, in Unicode's composed form (NFC)."""

    whole: list[str]
    """The name as written, and percent-decoded."""
    shorter: list[str]
    """Both without their first folders, the longest first."""


def ends_of(file_name: str) -> Ends:
    r"""Return a `file_name` of COCO as a path inside a folder, and the ends of this path.

    Exporters write paths of their own computer: `C:\data\a.png`, `/data/a.png`, `../images/a.png`.
    What leads out of a folder is left out, so that every end is a path inside one.

    Raises
    ------
    ValueError
        If the name is empty or broken.
    """
    forms = [_parts(file_name), _parts(unquote(file_name))]
    if not all(forms):
        raise ValueError("its file name is empty or broken")
    deepest = min(_DEEPEST, max(map(len, forms)))
    whole = ["/".join(parts) for parts in forms]
    shorter = ["/".join(parts[-n:]) for n in range(deepest, 0, -1) for parts in forms]
    return Ends(whole, [end for end in dict.fromkeys(shorter) if end not in whole])


def _parts(name: str) -> list[str]:
    """Return the folders and the name of a path, without drive, root and `..`."""
    path = posixpath.normpath(unicodedata.normalize("NFC", name).replace("\\", "/"))
    parts = re.sub("^[A-Za-z]:", "", path).split("/")
    return [] if "\0" in path else [part for part in parts if part.strip(".")]


def count_ends(file_names: Iterable[str]) -> Counter[str]:
    """Count the names that share an end, which then tells none of their files."""
    return Counter(end for ends in map(ends_of, file_names) for end in {*ends.whole, *ends.shorter})


class ImageFolder:
    """A folder in which the images of a COCO file are searched for.

    Parameters
    ----------
    path : Path
        The folder; nothing outside it is found.
    counts : Counter
        From `count_ends` of all file names in the COCO file.
    """

    def __init__(self, path: Path, counts: Counter[str]) -> None:
        self._path = str(path)
        self._counts = counts
        self._listings: dict[str, dict[str, str]] = {}

    def find(self, file_name: str) -> Path | None:
        """Return the file of a whole name, else of its longest end that exists, if any."""
        whole, shorter = ends_of(file_name)
        unique = (end for end in shorter if self._counts[end] == 1)
        return next(filter(None, map(self._file, (*whole, *unique))), None)

    def _file(self, end: str) -> Path | None:
        """Return the file of an end; file systems hold names in any form of Unicode."""
        if isfile(path := f"{self._path}/{end}"):
            return Path(path)
        if end.isascii():
            return None
        path = self._path
        for part in end.split("/"):
            if path not in self._listings:
                self._listings[path] = _listing(path)
            if part not in self._listings[path]:
                return None
            path = f"{path}/{self._listings[path][part]}"
        return Path(path) if isfile(path) else None


def _listing(folder: str) -> dict[str, str]:
    """Return the names in a folder by their composed form."""
    try:
        return {unicodedata.normalize("NFC", name): name for name in os.listdir(folder)}
    except OSError:
        return {}


def guess_folder(json_path: Path, names: Sequence[str]) -> Path:
    """Guess the image folder: the candidate folder that holds most of the named files.

    The candidates are those of the layouts of Roboflow (the folder of the JSON), COCO and
    MMDetection (`train2017/` or `images/train2017/`, with the JSON in `annotations/`), CVAT and
    Label Studio (`images/`), the nearest folders first.

    Returns
    -------
    Path
        The folder of the JSON if no candidate holds a named file.
    """
    probes = names[:: max(1, len(names) // _PROBES)][:_PROBES]
    counts = count_ends(names)
    best, most = json_path.parent, 0
    for folder in _candidates(json_path):
        files = ImageFolder(folder, counts)
        hits = sum(files.find(name) is not None for name in probes)
        if hits > most:
            best, most = folder, hits
        if hits == len(probes):
            break
    return best


def _candidates(json_path: Path) -> list[Path]:
    here = json_path.parent
    folders: list[Path] = []
    for root in (here, here.parent):
        for base in (root, root / "images", root / "data", root / "JPEGImages"):
            folders += [base, *(base / key for key in split_keys(json_path))]
    for root in (here, here.parent):
        for base in (root, root / "images"):
            folders += [base / alias for alias in _ALIASES]
    return [folder for folder in dict.fromkeys(folders) if isdir(folder)]


def split_keys(json_path: Path) -> list[str]:
    """Return the parts of a JSON's name that may name its split.

    `instances_train2017.json` gives `train2017`, `train` and the whole stem.
    """
    stem = json_path.name.split(".")[0]
    key = re.sub(r"^_*(instances|annotations?|labels?|coco|result)_*", "", stem)
    last = stem.rsplit("_", 1)[-1]
    keys = dict.fromkeys([key, last, re.sub(r"\d+$", "", last), stem])
    return [k for k in keys if k.strip("_")]
