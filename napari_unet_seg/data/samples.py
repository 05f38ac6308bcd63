"""Training samples: slices or volumes with their masks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from napari_unet_seg import log
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.counting import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Category
    from napari_unet_seg.data.cases.arrays import CaseImage, CaseMask
    from napari_unet_seg.io.common.window import Windows


T = TypeVar("T")

Split = Literal["train", "valid", "test"]
_SHOWN = 5
"""Number of samples that a message about samples that cannot be read names."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A slice or a volume with its mask, as files or as arrays."""

    name: str
    image: Path | CaseImage | Array
    """A file, a sequence of a case, or an array: (Y, X), (Y, X, C), (Z, Y, X) or (Z, Y, X, C)."""
    mask: Path | CaseMask | Array
    """A file, the mask of a case, or integers of shape (Y, X) or (Z, Y, X): labels from 0."""
    group: str
    """Patient or scan; samples of one group stay in one split."""
    split: Split | None = None
    """Split that the data set assigns; None if it does not."""
    window: Windows | None = None
    """Intensities that become black and white, for a slice of a volume; None takes the slice's."""
    place: tuple[str, int] | None = None
    """The volume and the number of the slice in it, which tell the slices beside it; None for
    others."""


@dataclass(frozen=True, slots=True, eq=False)
class SampleSet:
    """Samples and the categories of their label values."""

    samples: tuple[Sample, ...]
    categories: tuple[Category, ...]
    """Categories of the label values from 1, in order."""
    source: str
    """Path of the data set or session, for the checkpoint's header and for messages."""
    confirmed: bool = False
    """Whether a person has looked at the masks; training refuses doubtful ones otherwise."""
    notes: tuple[str, ...] = ()
    """What the user has to know of the samples: masks that lie elsewhere than their images."""
    sequences: tuple[str, ...] = ()
    """Names of the sequences that the channels of the images are; empty if they have none."""


def elsewhere(mask: Path, apart: str) -> str:
    """Return the note on a mask that lies apart from its image, see `misplacement`; else empty."""
    return apart and f"{mask} and its image have one grid, but {apart}; check that they fit."


def shortened(notes: Sequence[str]) -> tuple[str, ...]:
    """Return the first of the notes on masks that are not empty, and the number of the others."""
    notes = [note for note in notes if note]
    more = [f"The same holds for {counted(len(notes) - 1, 'more mask')}."] if len(notes) > 1 else []
    return (*notes[:1], *more)


def read_each(samples: Sequence[Sample], read: Callable[[Sample], T]) -> Iterator[T]:
    """Read every sample, also after one that cannot be read, so that one message names them all.

    Parameters
    ----------
    samples : sequence of Sample
        The samples.
    read : callable
        Reads one sample.

    Raises
    ------
    DataError
        At the end, if a sample cannot be read, for whatever reason.
    """
    problems = []
    for sample in samples:
        try:
            value = read(sample)
        except Exception as error:
            name = sample.image if isinstance(sample.image, Path) else sample.name
            problems.append(log.problem(error, name))
        else:
            yield value
    if problems:
        more = len(problems) - _SHOWN
        others = f" {more} more of {len(samples)} samples cannot be used." if more > 0 else ""
        raise DataError(" ".join(problems[:_SHOWN]) + others)
