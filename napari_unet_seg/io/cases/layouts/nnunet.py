"""Layout of nnU-Net and of the Medical Segmentation Decathlon.

Sources: "Dataset format" in the documentation of nnU-Net v2 (Isensee et al. 2021): one file a
channel, `imagesTr/case_0000.nii.gz`; Antonelli et al. 2022 for the Decathlon: one file of four
dimensions, `imagesTr/case.nii.gz`. Both have `labelsTr/case.nii.gz` and `dataset.json`.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.cases.case import Case, LeftOut, Plan, Source
from napari_unet_seg.io.common.names import patient_in, sequence_in
from napari_unet_seg.io.disk.files import reading
from napari_unet_seg.io.distinct_names import short_name
from napari_unet_seg.io.nnunet.folds import FILE_NAME as SPLITS
from napari_unet_seg.io.nnunet.labels import IGNORED

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from napari_unet_seg.io.cases.case import Split
    from napari_unet_seg.io.cases.tree import Tree

_SIDES: tuple[tuple[str, Split | None], ...] = (("Tr", None), ("Ts", "test"))
_CHANNEL = re.compile(r"(.+)_(\d{4})")


def plan(tree: Tree) -> Plan | None:
    """Plan a folder with `imagesTr` and `dataset.json`; None for any other folder.

    Raises
    ------
    DataError
        If `dataset.json` cannot be read or does not name channels and labels.
    """
    path = tree.root / "dataset.json"
    if not tree.in_folder("imagesTr") or not path.is_file():
        return None
    with reading(path, "JSON"):
        described = json.loads(path.read_text(encoding="utf-8"))
    channels, labels = _channels(described, path), _labels(described, path)
    unreviewed = next((value for value, name in labels if name == IGNORED), None)
    named = tuple(pair for pair in labels if pair[0] != unreviewed)
    held_out = _held_out(tree.root / SPLITS)
    cases, left_out = [], []
    for side, split in _SIDES:
        masks = {short_name(file): file for file in tree.in_folder(f"labels{side}")}
        by_case = _by_case(tree.in_folder(f"images{side}"))
        cases += [
            _case(
                name,
                files,
                _mask(masks.pop(name, None), unreviewed, named),
                channels,
                "valid" if name in held_out else split,
            )
            for name, files in by_case.items()
        ]
        reason = "no image has its name"
        left_out += [LeftOut(file, reason, is_mask=True) for file in masks.values()]
    why = f"imagesTr and dataset.json, which names {len(channels)} channels"
    return Plan(tree.root, "nnU-Net or Decathlon", why, tuple(cases), tuple(left_out))


def _mask(
    file: Path | None, unreviewed: int | None, categories: tuple[tuple[int, str], ...]
) -> dict[str, Source]:
    if file is None:
        return {}
    return {"mask": Source((file,), unreviewed=unreviewed, categories=categories)}


def _held_out(path: Path) -> set[str]:
    """Return the cases to validate on, if a data set has one split; not of five folds."""
    if not path.is_file():
        return set()
    with reading(path, "JSON"):
        folds = json.loads(path.read_text(encoding="utf-8"))
        return set(folds[0]["val"]) if len(folds) == 1 else set()


def _by_case(files: Iterable[Path]) -> dict[str, dict[int | None, Path]]:
    """Return the files of each case by the number of their channel, None for all channels."""
    cases: dict[str, dict[int | None, Path]] = {}
    for file in files:
        match = _CHANNEL.fullmatch(short_name(file))
        name, number = (match[1], int(match[2])) if match else (short_name(file), None)
        cases.setdefault(name, {})[number] = file
    return cases


def _case(
    name: str,
    files: dict[int | None, Path],
    masks: dict[str, Source],
    channels: dict[int, str],
    split: Split | None,
) -> Case:
    patient, visit = patient_in(name)
    if None in files:  # all channels in one file
        several = len(channels) > 1
        sequences = {
            title: Source((files[None],), number if several else None)
            for number, title in channels.items()
        }
    else:
        sequences = {
            channels.get(number, f"channel {number}"): Source((file,))
            for number, file in files.items()
            if number is not None
        }
    return Case(name, sequences, masks, "dataset.json", patient or name, visit, split)


def _channels(described: Any, path: Path) -> dict[int, str]:
    """Return the names of the channels by number: `channel_names`, or `modality` before v2."""
    try:
        named = described.get("channel_names") or described["modality"]
        return {int(number): sequence_in(name) or str(name) for number, name in named.items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{path} names no channels; add channel_names, as nnU-Net writes it."
        ) from error


def _labels(described: Any, path: Path) -> tuple[tuple[int, str], ...]:
    """Return values and names: nnU-Net maps names to values, the Decathlon values to names."""
    try:
        pairs = [_label(str(key), value) for key, value in described["labels"].items()]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{path} does not give one value for each label; regions of several labels cannot be "
            "trained here, so name each label by its value."
        ) from error
    return tuple(sorted(pair for pair in pairs if pair[0] > 0))


def _label(key: str, value: Any) -> tuple[int, str]:
    # A number may be the name of a category.
    return (int(key), str(value)) if isinstance(value, str) and key.isdigit() else (int(value), key)
