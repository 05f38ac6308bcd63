"""Masks by name, from a folder of files, a data set or a COCO file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from os.path import isdir, isfile
from pathlib import Path
from typing import TYPE_CHECKING

from napari_unet_seg.config import RESULT_THRESHOLD
from napari_unet_seg.errors import DataError
from napari_unet_seg.evaluation.case_masks import aliases, loaders, mask_files, plan_of_masks
from napari_unet_seg.io.cases.categories import consecutive, told_names
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.disk.files import is_backup, split_suffix
from napari_unet_seg.io.find import scan_files
from napari_unet_seg.io.masks.labels import stored_categories
from napari_unet_seg.io.read import read_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from napari_unet_seg.config import Category, Id
    from napari_unet_seg.io.cases.case import Plan
    from napari_unet_seg.io.coco.read import CocoDataset


@dataclass(frozen=True, slots=True, eq=False)
class MaskSource:
    """A collection of masks that are read one at a time."""

    path: Path
    names: tuple[str, ...]
    """Names of the masks, equal for masks of the same scan: file names without suffix."""
    load: Callable[[str], Scan]
    """Reads the mask of a name: label values from 1 on the mask's grid."""
    categories: tuple[Category, ...] = ()
    """Categories of the label values from 1, in order; empty if unknown."""
    images: dict[str, Path] = field(default_factory=dict)
    """Image files that the masks were made on, by name; not every source has them."""
    aliases: dict[str, str] = field(default_factory=dict)
    """Other names that a mask of the same scan may have, each with the name here."""

    def counterpart(self, other: MaskSource, name: str) -> str | None:
        """Return the name here of a mask of another source; None if there is no such mask."""
        known = dict.fromkeys(self.names) | self.aliases
        others = (alias for alias, own in other.aliases.items() if own == name)
        found = next((each for each in (name, *others) if each in known), None)
        return found if found is None else known[found] or found


def open_masks(
    path: Path | str, images: Path | None = None, threshold: float = RESULT_THRESHOLD
) -> MaskSource:
    """Open a COCO file, a list of results, a data set, a folder of mask files or one of cases.

    Parameters
    ----------
    path : Path
        The file or folder.
    images : Path, optional
        The COCO file of the images, for a list of results.
    threshold : float
        Score that a result needs.

    Raises
    ------
    DataError
        If the path does not exist, holds no masks, or holds two masks of one name.
    """
    path = Path(path)
    if not path.exists():
        raise DataError(f"{path} does not exist; give a folder of masks or a COCO file.")
    if path.is_file():
        return _coco_source(path, images, threshold)
    is_nnunet = isdir(path / "imagesTr")
    if is_dataset(path) and not is_nnunet:
        return _dataset_source(path)
    if isdir(path / "masks") and not is_nnunet:
        return _folder_source(path)
    plan = plan_of_masks(path)
    return _folder_source(path) if plan is None else _case_source(plan)


def is_dataset(folder: Path) -> bool:
    """Whether a folder is laid out as a data set."""
    parts = (folder / part / "masks" for part in ("train", "valid", "test"))
    return isfile(folder / "dataset.json") or any(map(isdir, parts))


def seg_files(folder: Path) -> list[Path]:
    """List the DICOM SEG files `*.dcm` of a folder in order, without hidden files and backups."""
    from napari_unet_seg.io.dicom.seg_read import is_seg

    files = sorted(p for p in folder.glob("*.dcm") if p.is_file() and not p.name.startswith("."))
    return [p for p in files if not is_backup(p) and is_seg(p)]


def stem(path: Path) -> str:
    """Return the name of a file without its suffix; `.nii.gz` and `.ome.tif` are one suffix."""
    return split_suffix(path)[0] if path.is_file() or path.suffix else path.name


def _coco_source(path: Path, of: Path | None, threshold: float) -> MaskSource:
    from napari_unet_seg.io.coco.document.parse import parse_file
    from napari_unet_seg.io.coco.raster import rasterise
    from napari_unet_seg.io.coco.read import dataset_of, read_coco
    from napari_unet_seg.io.coco.results import results_of

    parsed = parse_file(path)
    if of is not None and of.is_file() and parsed.kind == "results":
        results = results_of(parsed, read_coco(of))
        if not len(results.scores):
            raise DataError(
                f"The results of {path} have boxes and no outlines, which cannot be compared; "
                "import them with --boxes to draw them as rectangles."
            )
        dataset = results.above(threshold, boxes=False)
    else:
        dataset = dataset_of(parsed)
    ids = _ids_by_name(dataset)

    def load(name: str) -> Scan:
        return Scan(rasterise(dataset, ids[name]), "YX", path=path)

    files = {image.id: image.path for image in dataset.images}
    images = {name: file for name, i in ids.items() if (file := files[i]) is not None}
    return MaskSource(path, tuple(ids), load, dataset.categories, images)


def _ids_by_name(dataset: CocoDataset) -> dict[str, Id]:
    """Ids of the images by file name; folders are part of a name only if it is not unique."""
    full = [(_without_suffix(image.file_name), image.id) for image in dataset.images]
    counts = Counter(name.rpartition("/")[2] for name, _ in full)
    ids: dict[str, Id] = {}
    for name, identity in full:
        short = name.rpartition("/")[2]
        ids[short if counts[short] == 1 else name] = identity
    return ids


def _without_suffix(name: str) -> str:
    """Remove the suffix of a COCO file name, which may have slashes or backslashes."""
    path = Path(name.replace("\\", "/"))
    return path.with_name(split_suffix(path)[0]).as_posix()


def _dataset_source(folder: Path) -> MaskSource:
    from napari_unet_seg.data.dataset import open_dataset

    samples = open_dataset(folder)
    masks = {s.name: s.mask for s in samples.samples if isinstance(s.mask, Path)}
    _check_unique((s.name for s in samples.samples), folder)
    images = {s.name: s.image for s in samples.samples if isinstance(s.image, Path)}
    categories = samples.categories

    def load(name: str) -> Scan:
        return read_labels(masks[name])

    return MaskSource(folder, tuple(masks), load, categories, images)


def _case_source(plan: Plan) -> MaskSource:
    masks = loaders(plan)
    named = consecutive(told_names(plan), 0, f"A mask of {plan.root}")

    def load(name: str) -> Scan:
        return masks[name]()

    categories = named or _stored_categories(mask_files(plan))
    return MaskSource(plan.root, tuple(masks), load, categories, aliases=aliases(plan))


def _folder_source(folder: Path) -> MaskSource:
    files = scan_files(folder) + seg_files(folder)
    if not files and isdir(folder / "masks"):
        folder = folder / "masks"
        files = scan_files(folder) + seg_files(folder)
    if not files:
        raise DataError(
            f"{folder} holds no mask files; give a folder of TIFF, PNG, NIfTI or DICOM SEG masks."
        )
    _check_unique(map(stem, files), folder)
    masks = {stem(file): file for file in files}

    def load(name: str) -> Scan:
        return read_labels(masks[name])

    return MaskSource(folder, tuple(masks), load, _stored_categories(files))


def _stored_categories(files: Iterable[Path]) -> tuple[Category, ...]:
    """Return the categories that the first readable mask stores; others are reported when used."""
    for file in files:
        try:
            return stored_categories(read_labels(file).meta.get("description"))
        except Exception:
            continue
    return ()


def _check_unique(names: Iterable[str], folder: Path) -> None:
    name, count = max(Counter(names).items(), key=lambda item: item[1], default=("", 0))
    if count > 1:
        raise DataError(
            f"{folder} holds {count} masks named {name}; rename or remove all but one of them."
        )
