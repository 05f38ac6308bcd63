"""Data sets and folders of cases as cases of nnU-Net."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.data.dataset import open_dataset
from napari_unet_seg.data.description import FILE_NAME
from napari_unet_seg.data.samples import elsewhere, shortened
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.cases.categories import names_note, names_of_labels, told_names
from napari_unet_seg.io.cases.plan import plan_folder
from napari_unet_seg.io.cases.read import read_case_mask, read_sequence
from napari_unet_seg.io.common.counting import is_or_are
from napari_unet_seg.io.common.grids.turned import turned_onto
from napari_unet_seg.io.common.stacking import listed
from napari_unet_seg.io.nnunet.raw import RawCase, RawSet
from napari_unet_seg.io.nnunet.volumes import CaseVolumes
from napari_unet_seg.io.read import read_labels, read_scan

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari_unet_seg.data.samples import Sample
    from napari_unet_seg.io.cases.case import Case, Plan

_ALL = "nnU-Net needs the same sequences in every case, so add it, or export the case on its own."


def cases_of_folder(folder: Path) -> RawSet:
    """Return the cases of a data set, or of any folder of cases, see `plan_folder`.

    Raises
    ------
    DataError
        If the folder cannot be read, or holds no case with a mask.
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
    return CaseVolumes({"image": scan}, scan, labels)


def _of_plan(plan: Plan) -> RawSet:
    masked = [case for case in plan.cases if case.masks]
    if not masked:
        raise DataError(
            f"No mask belongs to a scan of {plan.root} by its name; name the masks as their scans "
            "with _mask at the end, or put them into a folder masks beside the scans."
        )
    names, notes = shared_sequences([case.sequences for case in masked])
    cases = tuple(
        missing_some(case.name, case.sequences, names)
        or RawCase(case.name, case.patient or case.name, case.split, partial(_case, case, names))
        for case in plan.cases
    )
    whole = [case for case in masked if case.sequences.keys() >= set(names)]
    categories, apart = _categories(plan, whole, names)
    return RawSet(cases, categories, (*notes, *apart))


def shared_sequences(cases: Sequence[Iterable[str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the sequences to export, which all cases have, and a note on the others.

    Cases that have nothing in common with most are not counted, see `missing_some`.

    Parameters
    ----------
    cases : sequence of iterable of str
        Names of the sequences of each case.
    """
    sets = [dict.fromkeys(names) for names in cases]
    counts = Counter(name for names in sets for name in names)
    most, _ = counts.most_common(1)[0]
    alike = [names for names in sets if most in names]
    shared = tuple(name for name in counts if all(name in names for names in alike))
    others = [f"{name} ({count})" for name, count in counts.items() if name not in shared]
    if not others:
        return shared, ()
    verb = is_or_are(len(others))
    note = f"Not all of the {len(sets)} cases have {listed(others)}, which {verb} left out."
    return shared, (note,)


def missing_some(name: str, own: Iterable[str], wanted: Iterable[str]) -> RawCase | None:
    """Return a refused case if it lacks some of the sequences that are exported; else None."""
    missing = [sequence for sequence in wanted if sequence not in own]
    return refused(name, f"{name} has no {listed(missing)}; {_ALL}") if missing else None


def refused(name: str, error: str | Exception) -> RawCase:
    """Return a case that is left out of a data set, with the reason."""

    def read() -> CaseVolumes:
        raise error if isinstance(error, Exception) else DataError(error)

    return RawCase(name, name, None, read)


def _case(case: Case, names: tuple[str, ...]) -> CaseVolumes:
    sources = {name: case.sequences[name] for name in names}
    if not case.masks:
        scans = {name: read_sequence(source) for name, source in sources.items()}
        return CaseVolumes(scans, next(iter(scans.values())), None)
    sequence, grid, mask = read_case_mask(case, sources.values())
    scans = {n: grid if s == sequence else read_sequence(s) for n, s in sources.items()}
    return CaseVolumes(scans, grid, mask)


def _categories(
    plan: Plan, cases: list[Case], names: tuple[str, ...]
) -> tuple[dict[int, str], tuple[str, ...]]:
    """Return the categories of the masks that can be read, and a note on masks elsewhere."""
    values: set[int] = set()
    notes, descriptions = [], []
    for case in cases:
        try:
            mask = read_case_mask(case, [case.sequences[name] for name in names]).labels
        except Exception:
            continue  # reported when the case is written
        values.update(np.unique(mask.data).tolist())
        source = next(iter(case.masks.values()))
        notes.append(elsewhere(source.files[0], mask.meta["apart"]))
        descriptions.append(mask.meta.get("description"))
    told = told_names(plan, descriptions)
    categories = names_of_labels(told, values - {0, IGNORE_INDEX}, f"A mask of {plan.root}")
    named = names_note(plan, descriptions)
    return categories, (*shortened(notes), *filter(None, [named]))
