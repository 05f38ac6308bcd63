"""Data sets and folders of cases as cases of nnU-Net."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.config import IGNORE_INDEX, numbered_categories
from napari_unet_seg.data.dataset import open_dataset
from napari_unet_seg.data.description import FILE_NAME
from napari_unet_seg.data.samples import elsewhere, shortened
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.cases.plan import plan_folder
from napari_unet_seg.io.cases.read import read_mask, read_sequence
from napari_unet_seg.io.common.turned import turned_onto
from napari_unet_seg.io.nnunet.raw import RawCase, RawSet
from napari_unet_seg.io.nnunet.volumes import CaseVolumes
from napari_unet_seg.io.read import read_labels, read_scan

if TYPE_CHECKING:
    from napari_unet_seg.data.samples import Sample
    from napari_unet_seg.io.cases.case import Case, Plan


def cases_of_folder(folder: Path) -> RawSet:
    """Return the cases of a data set, or of any folder of cases, see `plan_folder`.

    Raises
    ------
    DataError
        If the folder cannot be read, holds no case with a mask, or its cases with masks have no
        sequence in common.
    """
    if not (folder / FILE_NAME).is_file() or (folder / "imagesTr").is_dir():
        return _of_plan(plan_folder(folder))
    data = open_dataset(folder)
    cases = tuple(RawCase(s.name, s.group, s.split, partial(_sample, s)) for s in data.samples)
    return RawSet(cases, {value: c.name for value, c in enumerate(data.categories, 1)})


def _sample(sample: Sample) -> CaseVolumes:
    image, mask = Path(str(sample.image)), Path(str(sample.mask))
    scan = read_scan(image)
    labels = turned_onto(read_labels(mask), scan, (str(mask), "its image"))
    if labels.grid_shape != scan.grid_shape:
        raise DataError(
            f"{mask} has the grid {labels.grid_shape} and its image {scan.grid_shape}; give the "
            "mask that was made on this image."
        )
    return CaseVolumes({"image": scan}, labels)


def _of_plan(plan: Plan) -> RawSet:
    sequences, note = _common_sequences(plan)
    found = [case for case in plan.cases if sequences <= case.sequences.keys()]
    cases = tuple(
        RawCase(c.name, c.patient or c.name, c.split, partial(_case, c, sequences)) for c in found
    )
    values, apart = _values_of(found)
    return RawSet(cases, _categories(plan, values), (*note, *apart))


def _common_sequences(plan: Plan) -> tuple[set[str], tuple[str, ...]]:
    """Return the sequences that all cases with a mask have, and a note on the others."""
    masked = [case for case in plan.cases if case.masks]
    if not masked:
        raise DataError(
            f"No mask belongs to a scan of {plan.root} by its name; name the masks as their scans "
            "with _mask at the end, or put them into a folder masks beside the scans."
        )
    common = set.intersection(*(set(case.sequences) for case in masked))
    counts = {name: sum(name in case.sequences for case in masked) for name in plan.sequences}
    listed = ", ".join(f"{name} ({n})" for name, n in counts.items() if name not in common and n)
    if not common:
        raise DataError(
            f"The {len(masked)} cases of {plan.root} have no sequence in common: {listed}; nnU-Net "
            "needs the same ones in every case."
        )
    note = f"Not all of the {len(masked)} cases have {listed}, which is left out."
    return common, (note,) if listed else ()


def _case(case: Case, sequences: set[str]) -> CaseVolumes:
    scans = {name: read_sequence(s) for name, s in case.sequences.items() if name in sequences}
    mask = next(iter(case.masks.values()), None)
    first = next(iter(scans.values()))
    return CaseVolumes(scans, read_mask(mask, first) if mask else None)


def _values_of(cases: list[Case]) -> tuple[set[int], tuple[str, ...]]:
    """Return the label values in all masks that can be read, and a note on masks elsewhere."""
    values: set[int] = set()
    notes = []
    for case in cases:
        try:
            mask = _case(case, {next(iter(case.sequences))}).mask
        except Exception:
            continue  # reported when the case is written
        if mask is not None:
            values.update(np.unique(mask.data).tolist())
            source = next(iter(case.masks.values()))
            notes.append(elsewhere(source.files[0], mask.meta.get("apart", "")))
    return values - {0, IGNORE_INDEX}, shortened(notes)


def _categories(plan: Plan, values: set[int]) -> dict[int, str]:
    """Return the categories that the layout names, and one for each other value in the masks."""
    named = dict(plan.categories)
    if not named and values == {1}:
        return {1: "foreground"}
    numbered = numbered_categories(max(values, default=0), f"A mask of {plan.root}")
    names = {value: numbered[value - 1].name for value in values} | named
    return dict(sorted(names.items()))
