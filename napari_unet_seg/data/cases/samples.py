"""Training samples from the plan of a folder of cases."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_unet_seg.config import IGNORE_INDEX, Category, numbered_categories
from napari_unet_seg.data.cases.arrays import CaseImage, CaseMask
from napari_unet_seg.data.samples import Sample, SampleSet, shortened
from napari_unet_seg.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_unet_seg.io.cases.case import Case, Plan, Source


class _Annotated(NamedTuple):
    """A case's sequence with its mask."""

    case: Case
    sequence: Source
    mask: Source


def samples_of_plan(plan: Plan, dimensions: int, sequence: str | None = None) -> SampleSet:
    """Return the samples of the cases that have a mask; pixels are read later.

    Parameters
    ----------
    plan : Plan
        The plan of a folder.
    dimensions : int
        2 for a sample for each slice, 3 for a sample for each case.
    sequence : str, optional
        Name of the sequence to learn from, if the cases have several.

    Raises
    ------
    DataError
        If no case has a mask with a labelled pixel, there are several sequences and none is
        chosen, or a mask cannot be read.
    """
    chosen = list(_annotated(plan, _sequence(plan, sequence)))
    if not chosen:
        raise DataError(
            f"No mask belongs to a scan of {plan.root} by its name; name the masks as their scans "
            "with _mask at the end, or put them into a folder masks beside the scans."
        )
    samples: list[Sample] = []
    notes: list[str] = []
    values = np.zeros(IGNORE_INDEX + 1, bool)
    for each in chosen:
        source = CaseMask(each.mask, each.sequence)
        mask = source.read()[0]
        notes.append(source.place_note())
        if (highest := int(mask.max(initial=0))) > IGNORE_INDEX:
            raise DataError(
                f"{each.mask.files[0]} holds the label {highest}, and training takes none other "
                f"than 0 to {IGNORE_INDEX}; number the categories from 1."
            )
        values[np.unique(mask)] = True
        samples += _samples(each, mask.shape, dimensions)
    labels = np.flatnonzero(values[1:IGNORE_INDEX]) + 1
    if not len(labels):
        raise DataError(
            f"No mask of {plan.root} has a labelled pixel; annotate at least one slice."
        )
    categories = categories_of_plan(plan, int(labels.max()))
    return SampleSet(tuple(samples), categories, str(plan.root), notes=shortened(notes))


def _sequence(plan: Plan, chosen: str | None) -> str:
    names = {name: sum(name in case.sequences for case in plan.cases) for name in plan.sequences}
    if chosen is None and len(names) == 1:
        return next(iter(names))
    if chosen in names:
        return str(chosen)
    listed = ", ".join(f"{name} ({count})" for name, count in names.items())
    raise DataError(
        f"The cases of {plan.root} have the sequences {listed}; choose one, for example with "
        f"--sequence {next(iter(names))}."
    )


def _annotated(plan: Plan, sequence: str) -> Iterator[_Annotated]:
    for case in plan.cases:
        if sequence in case.sequences and case.masks:
            yield _Annotated(case, case.sequences[sequence], next(iter(case.masks.values())))


def _samples(each: _Annotated, shape: tuple[int, ...], dimensions: int) -> Iterator[Sample]:
    case, _, mask = each
    if dimensions == 3 or len(shape) == 2:
        yield _sample(each, case.name, None)
        return
    for number in range(shape[0]) if mask.slices is None else mask.slices:
        yield _sample(each, f"{case.name}#{number}", number)


def _sample(each: _Annotated, name: str, number: int | None) -> Sample:
    case, sequence, mask = each
    image, labels = CaseImage(sequence, number), CaseMask(mask, sequence, number)
    return Sample(name, image, labels, case.patient or case.name, case.split)


def categories_of_plan(plan: Plan, highest: int) -> tuple[Category, ...]:
    """Return the categories that the layout names; else a category for each label value."""
    named = dict(plan.categories)
    highest = max([highest, *named])
    if highest == 1 and not named:
        return (Category(id=1, name="foreground"),)
    return tuple(
        Category(id=c.id, name=named.get(value, c.name))
        for value, c in enumerate(numbered_categories(highest), 1)
    )
