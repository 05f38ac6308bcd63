"""The session on a scan is found among damaged, newer and deleted ones, and ones on other scans."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from other_user import as_other_user, open_folder

from napari_unet_seg.config import Category
from napari_unet_seg.io.cases.case import Source
from napari_unet_seg.io.cases.plan import recognise_folder
from napari_unet_seg.io.cases.read import read_sequence
from napari_unet_seg.io.images.tiff import write_array
from napari_unet_seg.session.folders import find_session
from napari_unet_seg.session.session import Session
from napari_unet_seg.session.stored.lock import unclosed_since
from napari_unet_seg.session.stored.scan import ScanRecord, is_of

if TYPE_CHECKING:
    from pathlib import Path

LESION = (Category(id=1, name="lesion"),)


def start(folder: Path, source: Source) -> Path:
    scan = read_sequence(source)
    Session.create(folder, scan, LESION, np.zeros(scan.grid_shape, np.uint8)).close()
    return folder


def found(parent: Path, source: Source) -> str | None:
    session = find_session(parent, "head", source)
    return None if session is None else session.folder.name


@pytest.fixture
def scan(tmp_path: Path) -> Source:
    write_array(tmp_path / "head.tif", np.zeros((2, 8, 9), np.uint8), axes="ZYX")
    return Source((tmp_path / "head.tif",))


@pytest.mark.parametrize("record", ["{", "[]", '{"format": "99.0"}', ""])
def test_a_session_that_cannot_be_read_hides_no_other(
    tmp_path: Path, scan: Source, record: str
) -> None:
    start(tmp_path / "head-2", scan)
    (tmp_path / "head").mkdir()
    (tmp_path / "head" / "session.json").write_text(record)
    assert found(tmp_path, scan) == "head-2"


def test_a_session_that_was_deleted_hides_no_other(tmp_path: Path, scan: Source) -> None:
    for name in ("head", "head-2", "head-3"):
        start(tmp_path / name, scan)
    shutil.rmtree(tmp_path / "head")
    shutil.rmtree(tmp_path / "head-2")
    assert found(tmp_path, scan) == "head-3"


def test_a_session_that_may_not_be_read_hides_no_other() -> None:
    with open_folder() as root:
        write_array(root / "head.tif", np.zeros((2, 8, 9), np.uint8), axes="ZYX")
        scan = Source((root / "head.tif",))
        start(root / "head", scan)
        start(root / "head-2", scan)
        (root / "head").chmod(0)
        with as_other_user():
            assert found(root, scan) == "head-2"
            assert unclosed_since(root / "head") is None


def test_two_stacks_of_one_folder_have_sessions_of_their_own(tmp_path: Path) -> None:
    for start_of_name in ("x", "y"):
        for number in range(4):
            path = tmp_path / "head" / f"{start_of_name}_{number}.tif"
            path.parent.mkdir(exist_ok=True)
            write_array(path, np.zeros((8, 9), np.uint8), axes="YX")
    [case] = recognise_folder(tmp_path).cases
    x, y = case.sequences.values()
    start(tmp_path / "sessions" / "head", x)

    assert found(tmp_path / "sessions", x) == "head"
    assert found(tmp_path / "sessions", y) is None
    start(tmp_path / "sessions" / "head-2", y)
    assert found(tmp_path / "sessions", y) == "head-2"
    assert found(tmp_path / "sessions", x) == "head"


@pytest.mark.parametrize(("series", "own"), [("1.2.3", True), (None, True), ("1.2.4", False)])
def test_two_series_of_one_folder_are_told_apart(
    tmp_path: Path, series: str | None, own: bool
) -> None:
    record = ScanRecord(
        paths=(str(tmp_path),), sha256="", axes="ZYX", shape=(2, 8, 9), dtype="int16",
        spacing=(1, 1, 1), unit="mm", series="1.2.3",
    )  # fmt: skip
    assert is_of(record, Source((tmp_path,), series=series)) is own
