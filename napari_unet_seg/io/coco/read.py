"""Reading of a COCO file: its entries are checked and grouped by image once."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from napari_unet_seg.config import Category
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.coco.json_style import JsonStyle, style_of
from napari_unet_seg.io.coco.paths import (
    base_names_unique,
    clean_name,
    find_image,
    guess_folder,
    split_keys,
)
from napari_unet_seg.io.common.files import reading
from napari_unet_seg.io.common.seen import Fingerprint, stamp_of

Split = Literal["train", "valid", "test"]
Annotation = dict[str, Any]
Problem = tuple[str, str]
"""Name of a skipped entry, and the reason."""

_SPLITS: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "valid": "valid",
    "val": "valid",
    "validation": "valid",
    "test": "test",
    "testing": "test",
}
_MOST_PIXELS = 2**30
"""Largest number of pixels of an image; a larger size is a mistake in the file."""


@dataclass(frozen=True, slots=True)
class CocoImage:
    """One entry of `images`."""

    id: int
    file_name: str
    width: int
    height: int
    path: Path | None
    """The image file, or None if it is missing."""


@dataclass(frozen=True, eq=False)
class CocoDataset:
    """A COCO file; `document` is the parsed JSON, which is never changed."""

    path: Path
    document: dict[str, Any]
    folder: Path
    """The image folder."""
    categories: tuple[Category, ...]
    """Categories in the order of the file; the position from 1 is the label value."""
    hidden: tuple[Category, ...]
    """The unused parent category that Roboflow adds, if any."""
    images: tuple[CocoImage, ...]
    annotations: dict[int, list[Annotation]]
    """Annotations by image id, in the order of the file; only of ids in `images`."""
    problems: tuple[Problem, ...]
    """Entries that cannot be used, independent of the image files."""
    style: JsonStyle = field(default_factory=JsonStyle)
    """Layout of the file."""
    seen: Fingerprint | None = None
    """Fingerprint of the file when it was read."""

    @cached_property
    def by_id(self) -> dict[int, CocoImage]:
        """The images by id."""
        return {image.id: image for image in self.images}

    @property
    def split(self) -> Split | None:
        """The split that the name of the file or of its folder names, if any."""
        for name in (*split_keys(self.path), self.path.parent.name):
            if name.lower() in _SPLITS:
                return _SPLITS[name.lower()]
        return None


def is_coco(document: object) -> bool:
    """Whether parsed JSON has the structure of a COCO file."""
    return isinstance(document, dict) and all(
        isinstance(document.get(key), list) for key in ("images", "annotations")
    )


def read_coco(path: Path | str, images: Path | str | None = None) -> CocoDataset:
    """Read a COCO file and find its images.

    Parameters
    ----------
    path : Path
        The COCO file.
    images : Path, optional
        The image folder; by default guessed from the layouts of common exporters.

    Raises
    ------
    DataError
        If the file is not COCO JSON or lists no image, or the image folder does not exist.
    """
    path = Path(path)
    document, style, seen = parse_coco(path)
    problems: list[Problem] = []
    entries = _entries(document["images"], problems)
    if not entries:
        why = f": {problems[0][0]}: {problems[0][1]}" if problems else ""
        raise DataError(f"{path} lists no usable image{why}; export the data set again.")
    folder = _folder(path, images, [name for _, name in entries.values()])
    found = _find(entries, folder)
    categories = _categories(document.get("categories"), problems)
    annotations = _group(document["annotations"], entries, problems)
    shown, hidden = _hide_parent(categories, document["annotations"])
    return CocoDataset(
        path, document, folder, shown, hidden, found, annotations, tuple(problems), style, seen
    )


def parse_coco(path: Path) -> tuple[dict[str, Any], JsonStyle, Fingerprint]:
    """Parse a COCO file without a look for its images.

    Returns
    -------
    tuple
        The document, the layout of its text, and the fingerprint of what was parsed.

    Raises
    ------
    DataError
        If the file is missing, or is not COCO JSON.
    """
    with reading(path, "JSON"):
        stamp = stamp_of(path) or ()
        data = path.read_bytes()
        text = data.decode(json.detect_encoding(data), "surrogatepass")
        document = json.loads(text)
    if not is_coco(document):
        raise DataError(
            f"{path} is not COCO: it needs the lists `images` and `annotations`; "
            "export it again as COCO instance segmentation."
        )
    return document, style_of(text), Fingerprint(stamp, hashlib.sha256(data).hexdigest())


def _folder(path: Path, images: Path | str | None, names: list[str]) -> Path:
    if images is None:
        return guess_folder(path.absolute(), names)
    if not Path(images).is_dir():
        raise DataError(f"The image folder {images} does not exist; choose the folder of {path}.")
    return Path(images)


def whole(value: object) -> int | None:
    """Return a JSON number as an integer if it is integral (some exporters write 5.0), or None."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _entries(items: list[Any], problems: list[Problem]) -> dict[int, tuple[Any, str]]:
    """Map the ids of usable entries of `images` to the entries and their clean names."""
    entries: dict[int, tuple[Any, str]] = {}
    for place, item in enumerate(items):
        name = item.get("file_name") if isinstance(item, dict) else None
        what = name if isinstance(name, str) else f"image entry {place + 1}"
        try:
            identity, cleaned = _check_image(item)
            if identity in entries:
                raise ValueError(f"another image has its id {identity} too")
        except ValueError as error:
            problems.append((what, str(error)))
        else:
            entries[identity] = (item, cleaned)
    return entries


def _check_image(item: Any) -> tuple[int, str]:
    if not isinstance(item, dict) or not isinstance(item.get("file_name"), str):
        raise ValueError("it has no file name")
    identity = whole(item.get("id"))
    if identity is None:
        raise ValueError("its id is no whole number")
    width, height = whole(item.get("width")), whole(item.get("height"))
    if not width or not height or min(width, height) < 1 or width * height > _MOST_PIXELS:
        raise ValueError("its width and height are missing or unusable")
    return identity, clean_name(item["file_name"])


def _find(entries: dict[int, tuple[Any, str]], folder: Path) -> tuple[CocoImage, ...]:
    unique = base_names_unique([name for _, name in entries.values()])
    return tuple(
        CocoImage(
            identity,
            item["file_name"],
            int(item["width"]),
            int(item["height"]),
            find_image(folder, name, by_base_name=unique),
        )
        for identity, (item, name) in entries.items()
    )


def _categories(items: Any, problems: list[Problem]) -> dict[int, Category]:
    categories: dict[int, Category] = {}
    for place, item in enumerate(items if isinstance(items, list) else []):
        identity = whole(item.get("id")) if isinstance(item, dict) else None
        if identity is None or identity in categories:
            problems.append((f"category entry {place + 1}", "its id is missing or not its own"))
            continue
        name = item.get("name")
        above = item.get("supercategory")
        categories[identity] = Category(
            id=identity,
            name=str(identity if name is None else name),
            supercategory="" if above is None else str(above),
        )
    return categories


def _group(
    items: list[Any], entries: dict[int, tuple[Any, str]], problems: list[Problem]
) -> dict[int, list[Annotation]]:
    groups: dict[int, list[Annotation]] = {identity: [] for identity in entries}
    for place, item in enumerate(items):
        image = whole(item.get("image_id")) if isinstance(item, dict) else None
        if image in groups:
            groups[image].append(item)
        else:
            problems.append((f"annotation entry {place + 1}", "its image is not in the file"))
    return groups


def _hide_parent(
    categories: dict[int, Category], annotations: list[Any]
) -> tuple[tuple[Category, ...], tuple[Category, ...]]:
    """Remove category 0 if it is unused and only the parent of other categories."""
    parent = categories.get(0)
    others = tuple(c for c in categories.values() if c.id != 0)
    if parent is None or not any(c.supercategory == parent.name for c in others):
        return tuple(categories.values()), ()
    if any(isinstance(a, dict) and whole(a.get("category_id")) == 0 for a in annotations):
        return tuple(categories.values()), ()
    return others, (parent,)
