"""The prompts that a session keeps with its slices."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from napari_unet_seg.config import Category
from napari_unet_seg.correct.prompt_marks import Prompt
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.session.review_queue import ReviewState
from napari_unet_seg.session.session import Session
from napari_unet_seg.session.stored.prompts import PromptRecord
from napari_unet_seg.session.stored.record import Round

if TYPE_CHECKING:
    from pathlib import Path

PROMPTS = (
    PromptRecord(kind="click", inside=True, category=7, part=(1,), points=((3.0, 4.5),)),
    PromptRecord(
        kind="scribble", inside=False, category=7, part=(None, 2), points=((0, 1), (2, 3), (4, 5))
    ),
)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    labels = np.zeros((3, 8, 8), np.uint8)
    tumour = (Category(id=7, name="tumour"),)
    return Session.create(tmp_path / "s", Scan(labels + 5, "ZYX"), tumour, labels)


def written(session: Session) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((session.folder / "session.json").read_text())
    return values


def test_prompts_are_stored_with_the_next_save(session: Session) -> None:
    session.set_prompts(PROMPTS)
    assert not session.is_stored
    session.save()
    again = Session.open(session.folder)
    assert again.prompts == PROMPTS
    assert again.prompts[0].prompt == Prompt("click", True, ((3.0, 4.5),))
    assert written(session)["prompts"][1]["part"] == [None, 2]


def test_a_prompt_is_stored_with_what_it_did_though_another_slice_is_saved(
    session: Session,
) -> None:
    labels = np.zeros((3, 8, 8), np.uint8)
    labels[1, 3, 4] = 1
    session.set_prompts(PROMPTS[:1])
    assert session.save_mask(labels, [0]) == (1,)
    assert session.save_mask(labels, [0]) == ()


@pytest.mark.parametrize("slices", [[0], None])
def test_a_click_during_a_save_is_stored_with_what_it_did(
    session: Session, slices: list[int] | None
) -> None:
    labels = np.zeros((3, 8, 8), np.uint8)

    class Painted:
        """Labels that a person clicks on while their last slice is read."""

        shape = labels.shape

        def __getitem__(self, place: tuple[int, ...]) -> np.ndarray:
            plane: np.ndarray = labels[place].copy()
            if place == (2 if slices is None else 0,) and not labels.any():
                labels[1, 3, 4] = 1
                session.set_prompts(PROMPTS[:1])
                session.set_states({1: ReviewState.CORRECTED})
            return plane

    session.save_mask(Painted(), slices)
    again = Session.open(session.folder)
    assert again.prompts == PROMPTS[:1]
    assert again.states[1] is ReviewState.CORRECTED
    np.testing.assert_array_equal(again.load_mask(), labels)


def test_a_round_that_ends_stores_no_prompt_before_its_mask(session: Session) -> None:
    labels = np.zeros((3, 8, 8), np.uint8)
    labels[1, 3, 4] = 1
    model = "rounds/01/best.safetensors"
    finished = Round(
        number=1, checkpoint=model, base="", before=0.5, after=0.6, train=2, held_out=1, epochs=3
    )
    with contextlib.closing(session.hold()):
        session.set_prompts(PROMPTS[:1])
        session.set_states({1: ReviewState.CORRECTED})
        session.finish_round(finished)
        assert Session.open(session.folder).prompts == ()
        assert Session.open(session.folder).states[1] is ReviewState.TODO
        assert Session.open(session.folder).rounds == (finished,)
        assert not session.is_stored
        assert session.save_mask(labels, []) == (1,)
    again = Session.open(session.folder)
    assert again.prompts == PROMPTS[:1] and again.states[1] is ReviewState.CORRECTED


def test_a_prompt_outside_of_the_scan_is_on_no_slice(session: Session) -> None:
    session.set_prompts((PROMPTS[0].replace(part=(7,)),))
    session.save_mask(np.zeros((3, 8, 8), np.uint8), [])
    assert Session.open(session.folder).prompts == session.prompts


def test_a_session_without_prompts_is_read(session: Session) -> None:
    values = written(session)
    del values["prompts"]
    values["format"] = "2.2"
    (session.folder / "session.json").write_text(json.dumps(values))
    assert Session.open(session.folder).prompts == ()


@pytest.mark.parametrize("change", [{"kind": "spray"}, {"points": []}, {"part": ["x"]}])
def test_a_damaged_prompt_is_refused(session: Session, change: dict[str, Any]) -> None:
    session.set_prompts(PROMPTS)
    session.save()
    values = written(session)
    values["prompts"][0].update(change)
    (session.folder / "session.json").write_text(json.dumps(values))
    with pytest.raises(DataError, match=r"session\.json is damaged"):
        Session.open(session.folder)
