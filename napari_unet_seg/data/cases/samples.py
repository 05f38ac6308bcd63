"""Training samples from the plan of a folder of cases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.data.cases.arrays import CaseImage, CaseMask
from napari_unet_seg.data.cases.sequences import UNNAMED, channel_notes, chosen_sequences
from napari_unet_seg.data.samples import Sample, SampleSet, elsewhere, shortened
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.cases.categories import consecutive, names_note, told_names
from napari_unet_seg.io.cases.channels import channels_of
from napari_unet_seg.io.cases.read import read_case_mask

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_unet_seg.io.cases.case import Case, Plan, Source
    from napari_unet_seg.io.cases.channels import Channels
    from napari_unet_seg.io.common.scan import Scan


class _Annotated(NamedTuple):
    """The channels of a case, with its mask and the sequence on whose grid the mask is."""

    case: Case
    channels: Channels
    grid: Source
    mask: Source
    labels: Scan


def samples_of_plan(
    plan: Plan, dimensions: int, sequences: Sequence[str] = (), *, may_lack: bool = False
) -> SampleSet:
    """Return the samples of the cases that have a mask; pixels are read later.

    Parameters
    ----------
    plan : Plan
        The plan of a folder.
    dimensions : int
        2 for a sample for each slice, 3 for a sample for each case.
    sequences : sequence of str
        Names of the sequences to learn from, each a channel; may be empty if the cases have one. A
        case with one of them at least is used, and the others are black.
    may_lack : bool
        Whether some of the sequences may be missing in all cases, as for a network that bears it.

    Raises
    ------
    DataError
        If no case has a mask with a labelled pixel, there are several sequences and none is
        chosen, or a mask cannot be read.
    """
    names = chosen_sequences(plan, sequences, may_lack=may_lack)
    samples: list[Sample] = []
    notes: list[str] = []
    descriptions: list[Any] = []
    values = np.zeros(IGNORE_INDEX + 1, bool)
    cases = [case for case in plan.cases if case.masks and _has_one(case, names)]
    for case in cases:
        each = _annotated(case, names)
        labels, file = each.labels.data, each.mask.files[0]
        notes.append(elsewhere(file, each.labels.meta["apart"]))
        descriptions.append(each.labels.meta.get("description"))
        if (highest := int(labels.max(initial=0))) > IGNORE_INDEX:
            raise DataError(
                f"{file} holds the label {highest}, and training takes none other than 0 to "
                f"{IGNORE_INDEX}; number the categories from 1."
            )
        values[np.unique(labels)] = True
        samples += _samples(each, dimensions)
    if not samples:
        raise DataError(
            f"No mask belongs to a scan of {plan.root} by its name; name the masks as their scans "
            "with _mask at the end, or put them into a folder masks beside the scans."
        )
    present = np.flatnonzero(values[1:IGNORE_INDEX]) + 1
    if not len(present):
        raise DataError(
            f"No mask of {plan.root} has a labelled pixel; annotate at least one slice."
        )
    return SampleSet(
        tuple(samples),
        consecutive(told_names(plan, descriptions), int(present.max()), f"A mask of {plan.root}"),
        str(plan.root),
        notes=(
            *shortened(notes),
            *filter(None, [names_note(plan, descriptions)]),
            *channel_notes(cases, names, samples[0].image),
        ),
        sequences=() if names == (UNNAMED,) else names,
    )


def _has_one(case: Case, names: Sequence[str]) -> bool:
    return any(source for _, source in channels_of(case, names))


def _annotated(case: Case, names: Sequence[str]) -> _Annotated:
    """Read the mask of a case on the grid of the first sequence that it fits."""
    channels = channels_of(case, names)
    found = read_case_mask(case, (source for _, source in channels if source is not None))
    mask = next(iter(case.masks.values()))
    return _Annotated(case, channels, found.sequence, mask, found.labels)


def _samples(each: _Annotated, dimensions: int) -> Iterator[Sample]:
    shape, slices = each.labels.data.shape, each.mask.slices
    if dimensions == 3 or len(shape) == 2:
        yield _sample(each, each.case.name, None)
        return
    for number in range(shape[0]) if slices is None else slices:
        yield _sample(each, f"{each.case.name}#{number}", number)


def _sample(each: _Annotated, name: str, number: int | None) -> Sample:
    case = each.case
    image = CaseImage(each.channels, each.grid, number)
    mask, group = CaseMask(each.mask, image), case.patient or case.name
    place = None
    if number is not None and each.labels.axes == "ZYX":
        place = str(each.mask.files[0]), number
    return Sample(name, image, mask, group, case.split, place=place)
