"""A session is written to by one window at a time, and a crash frees it."""

from __future__ import annotations

import errno
import subprocess
import sys
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_unet_seg.config import Category
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.session.review_queue import ReviewState
from napari_unet_seg.session.samples import training_samples
from napari_unet_seg.session.session import Session
from napari_unet_seg.session.stored.lock import unclosed_since

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOLDER = """
import sys
from napari_unet_seg.session.session import Session
session = Session.open(sys.argv[1], hold=True)
print("held", flush=True)
sys.stdin.readline()
session.close()
"""


def test_who_does_not_hold_a_session_writes_only_what_he_changed(session: Session) -> None:
    other = Session.open(session.folder)
    session.hold()
    for index in range(3):
        session.set_states({index: ReviewState.ACCEPTED})
    session.save()
    session.close()
    other.set_predicted_dice(5, 0.5)
    other.save()
    stored = Session.open(session.folder)
    assert stored.accepted == (0, 1, 2)
    assert stored.predicted_dice[5] == 0.5


def test_a_mark_that_cannot_be_taken_away_frees_the_session(session: Session) -> None:
    session.hold()
    mark = session.folder / "open.json"
    mark.unlink()
    mark.mkdir()  # which no unlink removes
    session.close()
    mark.rmdir()
    other = Session.open(session.folder, hold=True)
    assert other.lock.held and not session.lock.held
    other.close()


@pytest.fixture
def session(tmp_path: Path) -> Session:
    scan = Scan(np.random.default_rng(0).integers(0, 200, (6, 8, 9), np.uint8), "ZYX")
    labels = np.zeros((6, 8, 9), np.uint8)
    return Session.create(tmp_path / "s", scan, (Category(id=1, name="tumour"),), labels)


@pytest.fixture
def holder(session: Session) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the session open."""
    command = [sys.executable, "-c", HOLDER, str(session.folder)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_window_of_this_process_is_refused(session: Session) -> None:
    session.hold()
    with pytest.raises(DataError, match="window of this program, or a round of fine-tuning"):
        Session.open(session.folder, hold=True)
    session.hold()
    session.close()
    with pytest.raises(DataError, match="is open in another window"):
        Session.open(session.folder, hold=True)
    session.close()
    again = Session.open(session.folder, hold=True)
    with pytest.raises(DataError, match="The session s is open in another window"):
        session.hold()
    again.close()


def test_another_process_is_refused_until_it_is_closed(
    session: Session, holder: subprocess.Popen[str]
) -> None:
    with pytest.raises(DataError, match=rf"\(process {holder.pid} on .*\); close it there first"):
        Session.open(session.folder, hold=True)
    assert unclosed_since(session.folder) is None
    holder.communicate("\n", timeout=60)
    Session.open(session.folder, hold=True).close()
    assert unclosed_since(session.folder) is None


def test_a_killed_process_frees_it_and_leaves_a_mark(
    session: Session, holder: subprocess.Popen[str]
) -> None:
    holder.kill()
    holder.wait(60)
    saved = unclosed_since(session.folder)
    assert saved is not None
    assert abs((datetime.now() - saved).total_seconds()) < 600
    again = Session.open(session.folder, hold=True)
    assert unclosed_since(session.folder) is None
    again.close()
    assert unclosed_since(session.folder) is None


@pytest.mark.usefixtures("holder")
def test_while_it_is_open_elsewhere_it_can_be_read_and_not_written(session: Session) -> None:
    labels = session.load_mask()
    labels[2] = 1
    with pytest.raises(DataError, match="close it there first"):
        session.save_mask(labels)
    session.set_states({0: ReviewState.ACCEPTED})
    with pytest.raises(DataError, match="close it there first"):
        session.save()
    again = Session.open(session.folder)
    assert again.states == (ReviewState.TODO,) * 6
    assert not again.load_mask().any()


def test_accepted_slices_train_while_the_session_is_open_in_a_window(session: Session) -> None:
    for index in range(4):
        session.set_states({index: ReviewState.ACCEPTED})
    session.save()
    session.hold()
    record = (session.folder / "session.json").read_bytes()
    program = Session.open(session.folder)
    sides = [sample.split for sample in training_samples(program).samples]
    assert sorted(set(sides)) == ["train", "valid"]
    assert (session.folder / "session.json").read_bytes() == record
    session.close()


def test_sessions_without_a_window_are_written_for_a_moment_only(session: Session) -> None:
    other = Session.open(session.folder)
    for index, writer in enumerate((session, other, session)):
        labels = writer.load_mask()
        labels[index] = 1
        assert writer.save_mask(labels) == (index,)
    assert unclosed_since(session.folder) is None


def test_a_folder_that_is_no_session_stays_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no session\.json"):
        Session.open(tmp_path, hold=True)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_session_is_not_held(session: Session) -> None:
    (session.folder / "predictions" / "prediction.tif").unlink()
    for _ in range(2):
        with pytest.raises(DataError, match="is missing"):
            Session.open(session.folder, hold=True)
    assert unclosed_since(session.folder) is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows locks in another way")
def test_a_file_system_without_locks_is_told(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    opened = Session.open(session.folder, hold=True)
    assert "has no locks; open the session in one window" in opened.lock.note
    labels = opened.load_mask()
    labels[1] = 1
    assert opened.save_mask(labels) == (1,)
    opened.close()
    assert unclosed_since(session.folder) is None


def test_a_side_that_others_stored_meanwhile_stays(session: Session) -> None:
    reader = Session.open(session.folder)
    for index in range(3):
        session.set_split(index, "valid")
        reader.set_split(index, "train")
    session.save()
    reader.set_split(3, "train")
    reader.save()
    wanted = {0: "valid", 1: "valid", 2: "valid", 3: "train"}
    assert reader.splits == Session.open(session.folder).splits == wanted


def test_it_is_held_again_only_while_it_is_held(session: Session) -> None:
    assert not session.hold_again()
    session.hold()
    assert session.hold_again()
    session.close()
    assert session.lock.held
    session.close()
    assert not session.lock.held
    assert not session.hold_again()
