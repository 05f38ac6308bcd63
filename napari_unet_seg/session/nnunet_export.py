"""Export of data sets, folders of cases and sessions to nnU-Net."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.data.dataset_plan import join_categories
from napari_unet_seg.data.nnunet_cases import cases_of_folder
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.names import natural, patient_in, sequence_in
from napari_unet_seg.io.common.places import place_at
from napari_unet_seg.io.disk.files import split_suffix
from napari_unet_seg.io.nnunet.raw import RawCase, RawSet, dataset_folder, write_raw
from napari_unet_seg.io.nnunet.volumes import CaseVolumes
from napari_unet_seg.session.session import Session
from napari_unet_seg.session.stored.scan import SESSION_FILE

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.events import Command, ItemDone
    from napari_unet_seg.io.nnunet.raw import RawWritten


def export_nnunet(
    source: Path, out: Path
) -> Generator[ItemDone | RawWritten, Command | None, None]:
    """Write cases as a data set that nnU-Net trains on; the folder appears whole or not at all.

    Parameters
    ----------
    source : Path
        A data set, a folder of cases, a session, or a folder of sessions. Of a session the slices
        that are not accepted count as unreviewed.
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
    sessions = _session_folders(source)
    data = _of_sessions(sessions) if sessions else cases_of_folder(source)
    yield from write_raw(data, dataset_folder(out, source))


def _session_folders(source: Path) -> list[Path]:
    if (source / SESSION_FILE).is_file():
        return [source]
    folders = (path.parent for path in source.glob(f"*/{SESSION_FILE}"))
    return sorted(folders, key=lambda folder: natural(folder.name))


def _of_sessions(folders: list[Path]) -> RawSet:
    sessions = [session for session in map(Session.open, folders) if session.accepted]
    if not sessions:
        raise DataError(
            f"No slice of the session {folders[0].name} is accepted yet; accept some."
            if len(folders) == 1
            else f"No slice of the {len(folders)} sessions in {folders[0].parent} is accepted yet; "
            "accept some."
        )
    categories, tables = join_categories([session.categories for session in sessions])
    cases = (c for s, table in zip(sessions, tables, strict=True) for c in _cases(s, table))
    return RawSet(tuple(cases), {value: c.name for value, c in enumerate(categories, 1)})


def _cases(session: Session, table: Array) -> Iterator[RawCase]:
    """Yield the scan of a session as a case, or its accepted images if they are independent."""
    name = session.folder.name
    if "N" not in session.scan.axes:
        group = patient_in(name)[0] or name
        yield RawCase(name, group, None, partial(_volume, session, table))
        return
    for index in session.accepted:
        own = split_suffix(Path(session.name_of(index).replace("\\", "/")))[0]
        read = partial(_image, session, table, index)
        yield RawCase(own, own, session.splits.get(index), read)


def _volume(session: Session, table: Array) -> CaseVolumes:
    scan = session.scan
    labels = _joined(session.load_mask(), table)
    for index in set(range(len(session.states))) - set(session.accepted):
        labels[place_at(index, scan.grid_shape[:-2])] = IGNORE_INDEX
    own = session.record.scan.sequence or sequence_in(session.layers.image or session.folder.name)
    name = own or "image"
    return CaseVolumes({name: scan}, replace(scan, data=labels, axes=scan.grid_axes))


def _image(session: Session, table: Array, index: int) -> CaseVolumes:
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
    return CaseVolumes({"image": image}, replace(image, data=labels, axes="YX"))


def _joined(labels: Array, table: Array) -> Array:
    """Return the labels of a session with the values of the categories of all sessions."""
    unreviewed = labels == IGNORE_INDEX
    values = table[np.where(unreviewed, 0, labels)]
    return np.where(unreviewed, IGNORE_INDEX, values).astype(np.result_type(values, np.uint8))
