"""Which categories the labels of a session's files stand for, after categories were removed.

The label of a category is its place in the record. So the files that were written before a
category was removed have other labels than the record; they are converted when they are read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from napari_unet_seg.config import IGNORE_INDEX, Id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.session.stored.record import SessionRecord

_KEY = "category_ids"


class Labelling(NamedTuple):
    """The categories of a session, present and previous."""

    present: tuple[Id, ...] = ()
    """The id of each label from 1."""
    first: tuple[Id, ...] = ()
    """The id of each label when the session was started."""
    merged: tuple[tuple[Id, Id | None], ...] = ()
    """Ids of removed categories, and of those that got their pixels; None for background."""

    @classmethod
    def of(cls, record: SessionRecord) -> Self:
        """Return the labelling that a session's record describes."""
        first = record.first_categories or record.categories
        return cls(
            tuple(c.id for c in record.categories), tuple(c.id for c in first), record.merged
        )

    def description(self) -> dict[str, Any]:
        """Return what to write into a file of labels; nothing for the first categories."""
        return {} if self.present == self.first else {_KEY: list(self.present)}

    def convert(self, labels: Array, description: Mapping[str, Any]) -> Array:
        """Return the labels of a file as present labels.

        Parameters
        ----------
        labels : array of int
            The labels as they are stored.
        description : mapping
            The description in the file.
        """
        stored = tuple(description.get(_KEY, self.first))
        if stored == self.present[: len(stored)]:
            return labels
        table = np.arange(max(int(labels.max(initial=0)), len(stored), IGNORE_INDEX) + 1)
        table[1 : len(stored) + 1] = [self._label_of(identity) for identity in stored]
        return table.astype(labels.dtype)[labels]

    def _label_of(self, identity: Id | None) -> int:
        heirs = dict(self.merged)
        while identity is not None and identity not in self.present:
            identity = heirs.pop(identity, None)
        return 0 if identity is None else self.present.index(identity) + 1
