"""A session never writes through a link that leads out of its folder."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_unet_seg.config import Category
from napari_unet_seg.errors import WriteError
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.session.session import Session
from napari_unet_seg.session.stored.lock import unclosed_since

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SHAPE = (3, 8, 9)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    scan = Scan(np.random.default_rng(0).integers(0, 200, SHAPE, np.uint8), "ZYX")
    categories = (Category(id=1, name="tumour"),)
    return Session.create(tmp_path / "s", scan, categories, np.zeros(SHAPE, np.uint8))


def content(folder: Path) -> dict[str, bytes | None]:
    return {
        str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None
        for p in folder.rglob("*")
    }


def save_mask(session: Session) -> None:
    session.save_mask(np.ones(SHAPE, np.uint8))


def predict_again(session: Session) -> None:
    session.masks.replace_prediction(0, np.ones(SHAPE[1:], np.uint8))


def save_record(session: Session) -> None:
    session.set_predicted_dice(0, 0.5)
    session.save()


WRITES = [
    ("open.json", Session.hold),
    ("session.lock", Session.hold),
    ("session.lock", save_record),
    ("session.json", save_record),
    ("masks", save_mask),
    ("masks/00000.tif", save_mask),
    ("predictions", predict_again),
    ("predictions/00000.tif", predict_again),
    ("rounds", Session.new_round),
]


@pytest.mark.parametrize("is_there", [True, False], ids=["target", "dangling"])
@pytest.mark.parametrize(("name", "write"), WRITES)
def test_a_link_out_of_a_session_is_refused_by_name(
    session: Session, tmp_path: Path, name: str, write: Callable[[Session], object], is_there: bool
) -> None:
    outside, path = tmp_path / "outside", session.folder / name
    outside.mkdir()
    target = outside / "target"
    if is_there and path.exists():
        path.rename(target)
    elif is_there:
        target.write_text("mine") if path.suffix else target.mkdir()
    elif path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    path.symlink_to(target)
    before = content(outside)
    message = rf"{path}.* leads by a link to {target}.*; remove the link\.$"
    with pytest.raises(WriteError, match=message):
        write(session)
    assert content(outside) == before
    assert path.is_symlink()
    assert not session.lock.held


def test_a_search_for_unclosed_sessions_follows_no_link(session: Session, tmp_path: Path) -> None:
    session.hold()
    shutil.copytree(session.folder, tmp_path / "copy")
    session.close()
    lock = tmp_path / "copy" / "session.lock"
    lock.unlink(missing_ok=True)
    lock.symlink_to(tmp_path / "new")
    assert unclosed_since(lock.parent) is None
    assert not (tmp_path / "new").exists()


def test_a_link_within_a_session_and_to_a_session_are_followed(
    session: Session, tmp_path: Path
) -> None:
    (session.folder / "masks").rename(session.folder / "drawn")
    (session.folder / "masks").symlink_to("drawn")
    (tmp_path / "link").symlink_to(session.folder)
    save_mask(Session.open(tmp_path / "link"))
    assert len(list((session.folder / "drawn").glob("*.tif"))) == SHAPE[0]
