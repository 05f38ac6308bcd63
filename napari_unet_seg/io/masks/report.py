"""What a person should know of the masks of a training, an evaluation or an export."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.io.common.counting import counted

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array


@dataclass(frozen=True, slots=True)
class MaskReport:
    """Counts over masks; reports are added up, so that each thing is said once for all masks."""

    soft: int = 0
    """Masks with soft edges, which were cut at half."""
    partly: int = 0
    """Masks that hold the value of unreviewed pixels."""
    unreviewed: int = 0
    """Pixels of this value in all masks."""

    def __add__(self, other: MaskReport) -> MaskReport:
        """Return the counts over the masks of both reports."""
        return MaskReport(
            self.soft + other.soft,
            self.partly + other.partly,
            self.unreviewed + other.unreviewed,
        )

    def notes(self, kind: str = "") -> tuple[str, ...]:
        """Return a sentence for each count; none for counts of 0.

        Parameters
        ----------
        kind : str
            Adjective of the masks with a space after it, for example `true `.
        """
        notes = []
        if self.soft:
            notes.append(
                f"{counted(self.soft, f'{kind}mask')} with soft edges (grey values between two "
                "levels): cut at half."
            )
        if self.unreviewed:
            notes.append(
                f"{counted(self.unreviewed, 'pixel')} of the value {IGNORE_INDEX} in "
                f"{counted(self.partly, f'{kind}mask')} left out as not reviewed; if it is a "
                "category, give it another value."
            )
        return tuple(notes)


def report_of(labels: Array, categories: int = 0, *, soft: bool = False) -> MaskReport:
    """Return the report of one mask.

    Parameters
    ----------
    labels : array
        Label values.
    categories : int
        Number of categories; with 255 or more the value 255 is one of them.
    soft : bool
        Whether soft edges of the mask were cut.
    """
    number = 0 if categories >= IGNORE_INDEX else int(np.count_nonzero(labels == IGNORE_INDEX))
    return MaskReport(int(soft), int(number > 0), number)
