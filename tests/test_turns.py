"""Tests that measure time run alone, all others side by side."""

from __future__ import annotations

import fcntl
from typing import TYPE_CHECKING

import pytest
from turns import turn

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("alone", [False, True])
def test_who_is_alone_keeps_all_others_out(tmp_path: Path, alone: bool) -> None:
    with turn(tmp_path, alone=alone), (tmp_path / "room").open("w") as room:
        with pytest.raises(BlockingIOError):
            fcntl.flock(room, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if alone:
            with pytest.raises(BlockingIOError):
                fcntl.flock(room, fcntl.LOCK_SH | fcntl.LOCK_NB)
        else:
            fcntl.flock(room, fcntl.LOCK_SH | fcntl.LOCK_NB)


def test_the_door_is_open_to_all_inside(tmp_path: Path) -> None:
    with turn(tmp_path, alone=True), (tmp_path / "door").open("w") as door:
        fcntl.flock(door, fcntl.LOCK_EX | fcntl.LOCK_NB)
    inside = 0
    with turn(tmp_path, alone=False), turn(tmp_path, alone=False):
        inside += 1
    assert inside == 1
