"""`export --format nnunet`: cases as a data set of nnU-Net."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet_seg.cli._console import BAD_INPUT, Bar, emit, report_failures, say, warn
from napari_unet_seg.cli._engine import follow, stoppable
from napari_unet_seg.events import ItemDone
from napari_unet_seg.io.common.counting import counted, is_or_are

if TYPE_CHECKING:
    from pathlib import Path


def export_nnunet(source: Path, out: Path, *, json: bool) -> int:
    """Write cases as a data set of nnU-Net; return the exit code."""
    from napari_unet_seg.session import nnunet_export

    failed: list[tuple[str, str]] = []
    written = None
    with stoppable() as stop, Bar("Writing", "cases", quiet=json) as bar:
        for event in follow(nnunet_export.export_nnunet(source, out), stop):
            if not isinstance(event, ItemDone):
                written = event
                continue
            bar.update(event.index, event.count)
            if event.problem:
                failed.append((event.name, event.problem))
    if written is None:
        warn(f"Stopped; {out} has not been written.")
        return stop.exit_code
    for note in written.notes:
        warn(note)
    if json:
        emit({**written._asdict(), "failed": failed})
    else:
        cases = f"{counted(written.training, 'case')} to train on"
        others = f" and {counted(written.test, 'other')}" if written.test else ""
        verb = is_or_are(written.training + written.test)
        say(f"{cases}{others} {verb} in {written.folder}.")
    report_failures(failed)
    return BAD_INPUT if failed else 0
