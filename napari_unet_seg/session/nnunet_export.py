"""Export of data sets, folders of cases and sessions to nnU-Net."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.data.cases.sequences import UNNAMED
from napari_unet_seg.data.dataset_plan import join_categories
from napari_unet_seg.data.nnunet_cases import (
    cases_of_folder,
    missing_some,
    refused,
    shared_sequences,
)
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.counting import is_or_are
from napari_unet_seg.io.common.names import group_of, natural, sequence_in
from napari_unet_seg.io.common.places import place_at
from napari_unet_seg.io.common.stacking import listed
from napari_unet_seg.io.disk.files import split_suffix
from napari_unet_seg.io.masks.palette import PALETTE_KEY
from napari_unet_seg.io.nnunet.raw import RawCase, RawSet, dataset_folder, write_raw
from napari_unet_seg.io.nnunet.volumes import CaseVolumes
from napari_unet_seg.session.session import Session
from napari_unet_seg.session.stored.record import read_record
from napari_unet_seg.session.stored.scan import SESSION_FILE, open_scan

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.events import Command, ItemDone
    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.io.nnunet.raw import RawWritten
    from napari_unet_seg.session.stored.case_files import SequenceRecord
    from napari_unet_seg.session.stored.record import SessionRecord


def export_nnunet(
    source: Path | Sequence[Path], out: Path
) -> Generator[ItemDone | RawWritten, Command | None, None]:
    """Write cases as a data set that nnU-Net trains on; the folder appears whole or not at all.

    Parameters
    ----------
    source : Path or sequence of Path
        A data set, a folder of cases, a session, or a folder of sessions; or several sessions. Of a
        session the slices that are not accepted count as unreviewed.
    out : Path
        Folder `DatasetNNN_NAME`, or the folder in which it gets a free number.

    Yields
    ------
    ItemDone
        For every case, with its problem if it is left out; `Command.STOP` stops.
    RawWritten
        At the end, unless stopped.

    Raises
    ------
    DataError
        If the source cannot be read, no case can be used, or the folder exists or cannot be
        written.
    """
    if isinstance(source, Path):
        sessions, named = _session_folders(source), source
    else:
        sessions, named = list(source), source[0].parent
    data = _of_sessions(sessions) if sessions else cases_of_folder(named)
    yield from write_raw(data, dataset_folder(out, named))


def _session_folders(source: Path) -> list[Path]:
    if (source / SESSION_FILE).is_file():
        return [source]
    folders = (path.parent for path in source.glob(f"*/{SESSION_FILE}"))
    return sorted(folders, key=lambda folder: natural(folder.name))


def _of_sessions(folders: list[Path]) -> RawSet:
    records, damaged, idle = _read_records(folders)
    if not records:
        raise next(iter(damaged.values()), None) or _none_accepted(folders)
    names, notes = shared_sequences([_sequences(f.name, r) for f, r in records.items()])
    categories, tables = join_categories([record.categories for record in records.values()])
    cases = [refused(folder.name, error) for folder, error in damaged.items()]
    # One session is open at a time, also for the many images of one.
    opened = lru_cache(maxsize=1)(Session.open)
    for (folder, record), table in zip(records.items(), tables, strict=True):
        lacking = missing_some(folder.name, _sequences(folder.name, record), names)
        cases += [lacking] if lacking else _cases(folder, record, names, table, opened)
    if idle:
        verb = is_or_are(len(idle))
        notes = (*notes, f"No slice of {listed(idle)} is accepted yet, which {verb} left out.")
    return RawSet(tuple(cases), {value: c.name for value, c in enumerate(categories, 1)}, notes)


def _read_records(
    folders: list[Path],
) -> tuple[dict[Path, SessionRecord], dict[Path, DataError], list[str]]:
    """Return sessions with accepted slices, those that cannot be read, and names of the others."""
    records: dict[Path, SessionRecord] = {}
    damaged: dict[Path, DataError] = {}
    idle = []
    for folder in folders:
        try:
            record = read_record(folder)
        except DataError as error:
            damaged[folder] = error
            continue
        if any(state.is_accepted for state in record.states):
            records[folder] = record
        else:
            idle.append(folder.name)
    return records, damaged, idle


def _none_accepted(folders: list[Path]) -> DataError:
    return DataError(
        f"No slice of the session {folders[0].name} is accepted yet; accept some."
        if len(folders) == 1
        else f"No slice of the {len(folders)} sessions in {folders[0].parent} is accepted yet; "
        "accept some."
    )


def _sequences(name: str, record: SessionRecord) -> dict[str, SequenceRecord | None]:
    """Return the sequences of a session by name; None for the one that its mask was made from."""
    if "N" in record.scan.axes:
        return {UNNAMED: None}
    own = record.scan.sequence or sequence_in(record.layers.image or name) or UNNAMED
    found: dict[str, SequenceRecord | None] = {own: None}
    for each in record.sequences:
        found.setdefault(each.scan.sequence or sequence_in(each.layer) or each.layer, each)
    return found


def _cases(
    folder: Path,
    record: SessionRecord,
    names: tuple[str, ...],
    table: Array,
    opened: Callable[[Path], Session],
) -> list[RawCase]:
    """Return the scan of a session as a case, or its accepted images if they are independent."""
    if "N" not in record.scan.axes:
        group = group_of(folder.name)
        read = partial(_volumes, folder, names, table, opened)
        return [RawCase(folder.name, group, None, read)]
    try:
        session = opened(folder)
    except DataError as error:
        return [refused(folder.name, error)]
    cases = []
    for index in session.accepted:
        own = split_suffix(Path(session.name_of(index).replace("\\", "/")))[0]
        read = partial(_image, folder, index, table, opened)
        cases.append(RawCase(own, own, session.splits.get(index), read))
    return cases


def _volumes(
    folder: Path, names: tuple[str, ...], table: Array, opened: Callable[[Path], Session]
) -> CaseVolumes:
    session = opened(folder)
    scan, records = session.scan, _sequences(folder.name, session.record)
    labels = _joined(session.load_mask(), table)
    for index in set(range(len(session.states))) - set(session.accepted):
        labels[place_at(index, scan.grid_shape[:-2])] = IGNORE_INDEX
    others = {name: records[name] for name in names}
    scans = {n: open_scan(other.scan, folder) if other else scan for n, other in others.items()}
    return CaseVolumes(scans, scan, _mask(session, scan, labels))


def _image(
    folder: Path, index: int, table: Array, opened: Callable[[Path], Session]
) -> CaseVolumes:
    session = opened(folder)
    scan = session.scan
    place = place_at(index, scan.grid_shape[:-2])
    image = replace(
        scan,
        data=np.asarray(scan.data[place]),
        axes=scan.axes.replace("N", ""),
        spacing=scan.spacing[1:],
        names=(),
    )
    labels = _joined(session.masks.read(index), table)
    return CaseVolumes({UNNAMED: image}, image, _mask(session, image, labels))


def _mask(session: Session, image: Scan, labels: Array) -> Scan:
    description = {PALETTE_KEY: dict(session.layers.palette)}
    return replace(image, data=labels, axes=image.grid_axes, meta={"description": description})


def _joined(labels: Array, table: Array) -> Array:
    """Return the labels of a session with the values of the categories of all sessions."""
    unreviewed = labels == IGNORE_INDEX
    values = table[np.where(unreviewed, 0, labels)]
    return np.where(unreviewed, IGNORE_INDEX, values).astype(np.result_type(values, np.uint8))
