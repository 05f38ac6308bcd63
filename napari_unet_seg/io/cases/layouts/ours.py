"""Layout of the data sets that this program writes: `dataset.json` names images and masks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.cases.case import Case, LeftOut, Plan, Source
from napari_unet_seg.io.coco.paths import clean_name
from napari_unet_seg.io.disk.files import reading
from napari_unet_seg.io.masks.labels import stored_categories

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.io.cases.tree import Tree

_SPLITS = ("train", "valid", "test")


def plan(tree: Tree) -> Plan | None:
    """Plan a folder whose `dataset.json` lists samples; None for any other folder.

    Raises
    ------
    DataError
        If the list is damaged.
    """
    path = tree.root / "dataset.json"
    if not path.is_file():
        return None
    with reading(path, "JSON"):
        described = json.loads(path.read_text(encoding="utf-8"))
    samples = described.get("samples") if isinstance(described, dict) else None
    if not isinstance(samples, list):
        return None  # of nnU-Net, or of another program
    categories = tuple((i, c.name) for i, c in enumerate(stored_categories(described), 1))
    cases = tuple(_case(tree.root, entry, categories) for entry in samples)
    sources = [s for c in cases for s in (*c.sequences.values(), *c.masks.values())]
    used = {source.files[0] for source in sources}
    left_out = [LeftOut(file, f"not in {path.name}") for file in tree.files if file not in used]
    why = f"{path.name}, which lists {len(cases)} images"
    return Plan(tree.root, "data set of this program", why, cases, tuple(left_out))


def _case(root: Path, entry: Any, categories: tuple[tuple[int, str], ...]) -> Case:
    try:
        image, mask = (root / clean_name(entry[key]) for key in ("image", "mask"))
        name, group, split = str(entry["name"]), str(entry["group"]), entry.get("split")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{root / 'dataset.json'} lists a sample without image, mask, name or group; write the "
            "data set again."
        ) from error
    masks = {"mask": Source((mask,), categories=categories)}
    side = split if split in _SPLITS else None
    return Case(name, {"image": Source((image,))}, masks, "dataset.json", group, "", side)
