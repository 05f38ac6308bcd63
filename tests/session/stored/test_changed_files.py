"""Files of a session that another program has changed while the session is open."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile

from napari_unet_seg.config import Category
from napari_unet_seg.errors import ChangedError
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.disk.seen import saw
from napari_unet_seg.session.review_queue import ReviewState
from napari_unet_seg.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SHAPE = (4, 8, 9)


@pytest.fixture(params=["new", "opened"])
def session(tmp_path: Path, request: pytest.FixtureRequest) -> Session:
    voxels = np.random.default_rng(0).integers(1, 99, SHAPE, np.uint8)
    labels = np.zeros(SHAPE, np.uint8)
    categories = (Category(id=1, name="lesion"),)
    made = Session.create(tmp_path / "s", Scan(voxels, "ZYX"), categories, labels)
    if request.param == "opened":
        made = Session.open(made.folder)
        made.load_mask()
    return made.hold()


def _mask(**slices: int) -> np.ndarray:
    labels = np.zeros(SHAPE, np.uint8)
    for name, value in slices.items():
        labels[int(name[1:]), 2, 2] = value
    return labels


def _change_slice(session: Session, index: int) -> None:
    plane = np.zeros(SHAPE[1:], np.uint8)
    plane[5, 5] = 1
    tifffile.imwrite(session.masks.path(index), plane)


def _change_record(session: Session, change: Callable[[dict[str, Any]], Any]) -> None:
    path = session.folder / "session.json"
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))


@pytest.mark.parametrize("stored", [True, False], ids=["stored before", "new"])
@pytest.mark.parametrize("keep", ["mine", "theirs"])
def test_a_slice_that_both_changed_is_not_written_over(
    session: Session, stored: bool, keep: str
) -> None:
    if stored:
        session.save_mask(_mask(s1=1))
    _change_slice(session, 1)
    labels = _mask(s0=1, s1=1, s2=1)
    labels[1, 3, 3] = 1
    path = session.masks.path(1)
    with pytest.raises(ChangedError, match=r"00001\.tif was not written") as error:
        session.save_mask(labels)
    assert error.value.path == path
    assert [session.masks.read(i)[2, 2] for i in range(4)] == [1, 0, 1, 0], "the others are stored"
    if keep == "mine":
        saw(path)
        assert session.save_mask(labels) == (1,)
        assert session.masks.read(1)[3, 3] == 1
    else:
        assert session.take_from_disk(path) == 1
        labels[1] = session.masks.read(1)
        assert session.save_mask(labels) == ()
        assert session.masks.read(1)[5, 5] == 1
    session.close()


def test_a_slice_that_was_not_edited_here_keeps_the_other_programs_mask(session: Session) -> None:
    _change_slice(session, 1)
    session.save_mask(_mask(s0=1))
    assert session.masks.read(1)[5, 5] == 1
    session.close()


def test_other_states_than_those_set_here_are_taken_over(session: Session) -> None:
    _change_record(session, lambda r: r["states"].__setitem__(3, "accepted"))
    session.set_states({0: ReviewState.SKIPPED})
    session.save()
    assert session.states[0] is ReviewState.SKIPPED
    assert session.states[3] is ReviewState.ACCEPTED
    assert Session.open(session.folder).states == session.states
    session.close()


@pytest.mark.parametrize("keep", ["mine", "theirs"])
def test_a_state_that_both_set_is_asked_about(session: Session, keep: str) -> None:
    _change_record(session, lambda r: r.update(states=["accepted", "to do", "to do", "accepted"]))
    session.set_states({0: ReviewState.SKIPPED})
    path = session.folder / "session.json"
    text = path.read_text()
    for _ in range(2):
        with pytest.raises(ChangedError, match=r"session\.json was not written"):
            session.save()
        assert path.read_text() == text
    if keep == "mine":
        saw(path)
    else:
        assert session.take_from_disk(path) is None
    session.save()
    expected = ReviewState.SKIPPED if keep == "mine" else ReviewState.ACCEPTED
    assert Session.open(session.folder).states[0] is expected
    assert Session.open(session.folder).states[3] is ReviewState.ACCEPTED
    session.close()
