"""Layout of pairs: a folder `images` and a folder `masks`, also in `train`, `valid` and `test`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet_seg.io.cases.case import Case, LeftOut, Plan, Source
from napari_unet_seg.io.common.names import MASK_ENDS, patient_in, sequence_in
from napari_unet_seg.io.distinct_names import short_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from napari_unet_seg.io.cases.case import Split
    from napari_unet_seg.io.cases.tree import Tree

_SPLITS: dict[str, Split | None] = {
    "": None,
    "train": "train",
    "valid": "valid",
    "val": "valid",
    "test": "test",
}


def plan(tree: Tree) -> Plan | None:
    """Plan folders of images and masks of the same names; None for any other folder."""
    cases: list[Case] = []
    left_out: list[LeftOut] = []
    seen: set[Path] = set()
    for folder, split in _SPLITS.items():
        place = f"{folder}/" if folder else ""
        masks = {short_name(path): path for path in tree.in_folder(f"{place}masks")}
        if masks:
            images = tree.in_folder(f"{place}images")
            seen.update(images, masks.values())
            cases += _cases(images, masks, split)
            reason = "no image has its name"
            left_out += [LeftOut(mask, reason, is_mask=True) for mask in masks.values()]
    if not cases:
        return None
    left_out += [
        LeftOut(path, "not in a folder of images or masks")
        for path in tree.files
        if path not in seen
    ]
    why = "folders images and masks, with files of the same names"
    return Plan(tree.root, "images and masks", why, tuple(cases), tuple(left_out))


def _cases(images: tuple[Path, ...], masks: dict[str, Path], split: Split | None) -> Iterator[Case]:
    for image in images:
        name = short_name(image)
        found = next((masks.pop(name + e) for e in ("", *MASK_ENDS) if name + e in masks), None)
        patient, visit = patient_in(name)
        mask = {"mask": Source((found,))} if found else {}
        sequences = {sequence_in(name) or "image": Source((image,))}
        yield Case(name, sequences, mask, "same names", patient or name, visit, split)
