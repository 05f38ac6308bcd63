"""What killed processes have left in a session: temporary files and rounds without an end."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from napari_unet_seg.io.disk.temporary import is_in_use, remove_litter
from napari_unet_seg.training.run import Run

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.session.stored.record import SessionRecord


def remove_leftovers(folder: Path, record: SessionRecord) -> None:
    """Remove temporary files, and the folders of rounds whose training did not end.

    A round that trained to its end stays, although it is not in the record.

    Parameters
    ----------
    folder : Path
        Folder of a session that this process holds.
    record : SessionRecord
        Its record.
    """
    for part in (folder, folder / "masks", folder / "predictions"):
        remove_litter(part)
    rounds = folder / "rounds"
    if rounds.is_symlink() or not rounds.is_dir():
        return
    used = {r.checkpoint for r in record.rounds} | {*record.models.used}
    for each in rounds.iterdir():
        is_round = each.name.isdigit() and each.is_dir() and not each.is_symlink()
        if is_round and _has_no_end(each) and not any(_is_in(path, each) for path in used):
            shutil.rmtree(each, ignore_errors=True)


def _has_no_end(folder: Path) -> bool:
    """Whether a round has no model or epochs left, and no process trains it."""
    run = Run(folder)
    return not is_in_use(folder) and (not run.holds_model or bool(run.unfinished()))


def _is_in(path: str, folder: Path) -> bool:
    """Whether a path, which may be relative to the session, lies in a folder of its rounds."""
    return folder in (folder.parent.parent / path).parents
