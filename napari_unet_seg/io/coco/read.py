"""Reading of a COCO file: its entries are checked and grouped by image once."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from napari_unet_seg.config import Category, CocoLimits, Id
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.coco.document.parse import ParsedFile, parse_file
from napari_unet_seg.io.coco.document.style import JsonStyle
from napari_unet_seg.io.coco.geometry.shapes import limits, raising
from napari_unet_seg.io.coco.paths import (
    ImageFolder,
    count_ends,
    ends_of,
    guess_folder,
    split_keys,
)
from napari_unet_seg.io.common.ids import identity, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg.io.disk.seen import Fingerprint

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


@dataclass(frozen=True, slots=True)
class CocoImage:
    """One entry of `images`."""

    id: Id
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
    annotations: dict[Id, list[Annotation]]
    """Annotations by image id, in the order of the file; only of ids in `images`."""
    problems: tuple[Problem, ...]
    """Entries that cannot be used, independent of the image files."""
    style: JsonStyle = field(default_factory=JsonStyle)
    """Layout of the file."""
    seen: Fingerprint | None = None
    """Fingerprint of the file when it was read."""

    @cached_property
    def by_id(self) -> dict[Id, CocoImage]:
        """The images by id."""
        return {image.id: image for image in self.images}

    @cached_property
    def values(self) -> dict[Id | None, int]:
        """The label values by category id."""
        return label_values(self.categories)

    @property
    def split(self) -> Split | None:
        """The split that the name of the file or of its folder names, if any."""
        for name in (*split_keys(self.path), self.path.parent.name):
            if name.lower() in _SPLITS:
                return _SPLITS[name.lower()]
        return None


def label_values(categories: Sequence[Category]) -> dict[Id | None, int]:
    """Return the label values by category id: the positions of the categories, from 1."""
    return {category.id: value for value, category in enumerate(categories, 1)}


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
    return dataset_of(parse_file(Path(path)), images)


def dataset_of(file: ParsedFile, images: Path | str | None = None) -> CocoDataset:
    """Find the images of a parsed COCO file, and check and group its entries; see `read_coco`."""
    path, document = file.path, file.check("dataset")
    problems: list[Problem] = []
    entries = _entries(document["images"], problems)
    if not entries:
        why = f": {problems[0][0]}: {problems[0][1]}" if problems else ""
        raise DataError(f"{path} lists no usable image{why}; export the data set again.")
    folder = _folder(path, images, [item["file_name"] for item in entries.values()])
    found = _find(entries, folder)
    categories = _categories(document.get("categories"), problems)
    annotations = _group(document["annotations"], entries, problems)
    shown, hidden = _hide_parent(categories, document["annotations"])
    return CocoDataset(
        path=path,
        document=document,
        folder=folder,
        categories=shown,
        hidden=hidden,
        images=found,
        annotations=annotations,
        problems=tuple(problems),
        style=file.style,
        seen=file.seen,
    )


def _folder(path: Path, images: Path | str | None, names: list[str]) -> Path:
    if images is None:
        return guess_folder(path.absolute(), names)
    if not Path(images).is_dir():
        raise DataError(f"The image folder {images} does not exist; choose the folder of {path}.")
    return Path(images)


def _entries(items: list[Any], problems: list[Problem]) -> dict[Id, Any]:
    """Map the ids of usable entries of `images` to the entries."""
    entries: dict[Id, Any] = {}
    allowed = limits()
    for place, item in enumerate(items):
        name = item.get("file_name") if isinstance(item, dict) else None
        what = name if isinstance(name, str) else f"image entry {place + 1}"
        try:
            found = _check_image(item, allowed)
            if found in entries:
                raise ValueError(f"another image has its id {found} too")
        except ValueError as error:
            problems.append((what, str(error)))
        else:
            entries[found] = item
    return entries


def _check_image(item: Any, allowed: CocoLimits) -> Id:
    """Return the id of an entry of `images`."""
    if not isinstance(item, dict) or not isinstance(item.get("file_name"), str):
        raise ValueError("it has no file name")
    found = identity(item.get("id"))
    if found is None:
        raise ValueError("its id is neither a whole number nor a text")
    width, height = whole(item.get("width")), whole(item.get("height"))
    if not width or not height or min(width, height) < 1:
        raise ValueError("its width and height are missing or unusable")
    for name, size in (("pixels", width * height), ("side", max(width, height))):
        if size > getattr(allowed, name):
            raise ValueError(f"it has {width:,} × {height:,} pixels ({raising(name)})")
    ends_of(item["file_name"])
    return found


def _find(entries: dict[Id, Any], folder: Path) -> tuple[CocoImage, ...]:
    names = [item["file_name"] for item in entries.values()]
    files = ImageFolder(folder, count_ends(names))
    return tuple(
        CocoImage(found, name, int(item["width"]), int(item["height"]), files.find(name))
        for (found, item), name in zip(entries.items(), names, strict=True)
    )


def _categories(items: Any, problems: list[Problem]) -> dict[Id, Category]:
    categories: dict[Id, Category] = {}
    for place, item in enumerate(items if isinstance(items, list) else []):
        found = identity(item.get("id")) if isinstance(item, dict) else None
        if found is None or found in categories:
            problems.append((f"category entry {place + 1}", "its id is missing or not its own"))
            continue
        name = item.get("name")
        above = item.get("supercategory")
        categories[found] = Category(
            id=found,
            name=str(found if name is None else name),
            supercategory="" if above is None else str(above),
        )
    return categories


def _group(
    items: list[Any], entries: dict[Id, Any], problems: list[Problem]
) -> dict[Id, list[Annotation]]:
    groups: dict[Id, list[Annotation]] = {found: [] for found in entries}
    for place, item in enumerate(items):
        image = identity(item.get("image_id")) if isinstance(item, dict) else None
        if image in groups:
            groups[image].append(item)
        else:
            problems.append((f"annotation entry {place + 1}", "its image is not in the file"))
    return groups


def _hide_parent(
    categories: dict[Id, Category], annotations: list[Any]
) -> tuple[tuple[Category, ...], tuple[Category, ...]]:
    """Remove category 0 if it is unused and only the parent of other categories."""
    parent = categories.get(0)
    others = tuple(c for c in categories.values() if c.id != 0)
    if parent is None or not any(c.supercategory == parent.name for c in others):
        return tuple(categories.values()), ()
    if any(isinstance(a, dict) and whole(a.get("category_id")) == 0 for a in annotations):
        return tuple(categories.values()), ()
    return others, (parent,)
