"""Merging the records of a session that several processes have changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_unet_seg.session.stored.record import SessionRecord

_BY_SLICE = ("states", "predicted_dice")
"""Fields with one value for each slice, which are merged one by one."""


def merged_records(
    before: SessionRecord, mine: SessionRecord, stored: SessionRecord
) -> tuple[SessionRecord, bool]:
    """Apply what changed here to a record that another process may have written in the meantime.

    Where both changed a value, the one of this object counts. But a slice whose split is already
    stored keeps it, so that no held-out slice is trained on.

    Returns
    -------
    tuple
        The record, and whether both changed a value.
    """
    changes: dict[str, Any] = {}
    disputed = False
    for name in type(mine).model_fields:
        base, here, there = (getattr(record, name) for record in (before, mine, stored))
        if here in (base, there):
            continue
        changes[name] = here
        if name == "sides":
            changes[name] = {**here, **there}
        elif there == base:
            continue
        elif name in _BY_SLICE and len(base) == len(here) == len(there):
            rows = list(zip(base, here, there, strict=True))
            changes[name] = tuple(t if h == b else h for b, h, t in rows)
            disputed |= any(h not in (b, t) and t != b for b, h, t in rows)
        else:
            disputed = True
    return stored.model_copy(update=changes), disputed
