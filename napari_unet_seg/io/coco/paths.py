"""Search for the images of a COCO file."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from os.path import isfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Sequence

_PROBES = 64
"""Number of file names that are searched for in each candidate folder."""
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


def find_image(folder: Path, name: str, *, by_base_name: bool) -> Path | None:
    """Find an image file: by its name, the percent-decoded name, then the name without folders.

    Parameters
    ----------
    folder : Path
        Image folder.
    name : str
        From `clean_name`.
    by_base_name : bool
        Whether to search for the name without folders, which requires that it is unique.
    """
    names = [name, unquote(name)]
    if by_base_name:
        names += [posixpath.basename(n) for n in names]
    root = str(folder)
    for candidate in dict.fromkeys(names):
        path = f"{root}/{candidate}"
        if isfile(path):
            return Path(path)
    return None


def base_names_unique(names: Sequence[str]) -> bool:
    """Whether the names without folders are unique."""
    counts = Counter(posixpath.basename(unquote(name)) for name in names)
    return max(counts.values(), default=0) <= 1


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
    unique = base_names_unique(names)
    best, most = json_path.parent, 0
    for folder in _candidates(json_path):
        hits = sum(find_image(folder, name, by_base_name=unique) is not None for name in probes)
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
    return [folder for folder in dict.fromkeys(folders) if folder.is_dir()]


def split_keys(json_path: Path) -> list[str]:
    """Return the parts of a JSON's name that may name its split.

    `instances_train2017.json` gives `train2017`, `train` and the whole stem.
    """
    stem = json_path.name.split(".")[0]
    key = re.sub(r"^_*(instances|annotations?|labels?|coco|result)_*", "", stem)
    last = stem.rsplit("_", 1)[-1]
    keys = dict.fromkeys([key, last, re.sub(r"\d+$", "", last), stem])
    return [k for k in keys if k.strip("_")]
