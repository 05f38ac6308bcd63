"""Which models a session has used, and whether that of a round is used next."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from stored_rounds import made_round, store_round

from napari_unet_seg.config import Category
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.session.folders import FoundSession
from napari_unet_seg.session.model_lineage import (
    Use,
    UsedModels,
    change_of_dice,
    is_fine_tuned,
    is_usable,
    latest_models,
    model_mismatch,
    models_of,
    predicted_by,
    refusal,
    stored_path,
    use_of,
)
from napari_unet_seg.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

KIND = (Category(id=1, name="c0"),)
BASE, FIRST, SECOND = Path("/m/base"), Path("/m/first"), Path("/m/second")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    path = tmp_path / "base.safetensors"
    path.write_bytes(b"weights")
    return path


@pytest.fixture
def make_session(tmp_path: Path, base: Path) -> Callable[[str], Session]:
    scan, labels = Scan(np.ones((2, 8, 8), np.uint8), "ZYX"), np.zeros((2, 8, 8), np.uint8)
    return lambda name: Session.create(tmp_path / name, scan, KIND, labels, base)


@pytest.mark.parametrize(
    ("before", "after", "stopped", "usable"),
    [
        (0.8, 0.7, False, False),
        (0.7, 0.8, False, True),
        (0.8, 0.8, False, True),
        (None, 0.5, False, True),
        (0.5, None, False, True),
        (None, None, True, False),
        (0.7, 0.8, True, True),
    ],
)
def test_a_round_is_usable_unless_it_lost_dice_or_was_stopped_unmeasured(
    before: float | None, after: float | None, stopped: bool, usable: bool
) -> None:
    assert is_usable(made_round(before=before, after=after, stopped=stopped)) is usable
    finished = made_round(before=before, after=after, stopped=stopped)
    assert use_of(finished, by_user=False) is (Use.YES if usable else Use.NO)
    # Who started it is asked about a loss, and has stopped it on purpose.
    is_worse = not usable and after is not None
    assert use_of(finished, by_user=True) is (Use.ASK if is_worse else Use.YES)


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        (1.0, 0.99, "1.000 → 0.990"),
        (1.0, 0.99996, "1.00000 → 0.99996"),
        (0.5, 0.5, "0.500 → 0.500"),
        (None, 0.5, "– → 0.500"),
    ],
)
def test_a_change_of_dice_has_digits_enough(before: float, after: float, text: str) -> None:
    assert change_of_dice(before, after) == text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"before": 0.8, "after": 0.75}, r"worse on the held-out slices \(0.800 → 0.750\)"),
        ({"before": 0.8, "after": None, "stopped": True}, "stopped before it was measured"),
    ],
)
def test_a_refusal_says_why(changes: dict[str, float], words: str) -> None:
    finished = made_round(number=7, **changes)
    assert not is_usable(finished)
    assert re.match(f"Round 7 .*{words}.*; the .*model stays", refusal(finished))


def test_a_round_that_changed_nothing_is_not_used_and_nobody_is_asked() -> None:
    finished = made_round(number=7, before=0.8, after=0.8, held_out=10, unchanged=True)
    assert not is_usable(finished)
    assert {use_of(finished, by_user=by_user) for by_user in (True, False)} == {Use.NO}
    assert refusal(finished) == (
        "Round 7: the model stays as it is: no epoch was clearly better on 10 held-out slices."
    )


@pytest.mark.parametrize(
    ("path", "tuned"),
    [
        ("/s/rounds/01/best.safetensors", True),
        ("/s/runs/01/best.safetensors", False),
        ("best.safetensors", False),
        ("/best.safetensors", False),
    ],
)
def test_a_tuned_model_lies_among_the_rounds_of_a_session(path: str, tuned: bool) -> None:
    assert is_fine_tuned(Path(path)) is tuned


def test_paths_inside_a_session_are_stored_relative_to_it() -> None:
    assert stored_path(Path("/s/rounds/01/a"), Path("/s")) == "rounds/01/a"
    assert stored_path(Path("/elsewhere/a"), Path("/s")) == "/elsewhere/a"


def test_models_are_those_noted_else_the_base_and_those_of_usable_rounds(
    make_session: Callable[[str], Session], base: Path
) -> None:
    session = make_session("a")
    assert models_of(session.folder, session.record, base) == [base]
    first = store_round(session, base)
    store_round(session, base, before=0.8, after=0.7)
    third = store_round(session, base)
    store_round(session, base, prompts=True)  # a network for Point, which segments nothing alone
    assert models_of(session.folder, session.record, base) == [base, first, third]
    session.set_models(used=(str(base), stored_path(first, session.folder)))
    assert models_of(session.folder, session.record, base) == [base, first]
    first.unlink()
    assert models_of(session.folder, session.record, base) == [base]
    base.unlink()
    assert models_of(session.folder, session.record, base) == [base], "never none at all"


@pytest.mark.parametrize(
    ("own", "other", "expected"), [(2.0, 1.0, 0), (1.0, 2.0, 1), (2.0, 2.0, 0)]
)
def test_the_models_noted_last_are_taken_of_a_folder_of_scans(
    make_session: Callable[[str], Session], base: Path, own: float, other: float, expected: int
) -> None:
    sessions = [make_session("a"), make_session("b")]
    models = [store_round(session, base) for session in sessions]
    for session, model, noted in zip(sessions, models, (own, other), strict=True):
        session.set_models(used=(str(base), str(model)), noted=noted)
        session.save()
    found = FoundSession(sessions[1].folder, sessions[1].record, 0)
    assert latest_models(sessions[0], base, [found]) == [base, models[expected]]
    assert latest_models(sessions[0], base, []) == [base, models[0]]


def test_slices_were_predicted_by_the_base_until_another_model_is_noted(
    make_session: Callable[[str], Session], base: Path
) -> None:
    session = make_session("a")
    assert predicted_by(session, base) == base
    session.set_models(predicted_by="rounds/01/best.safetensors")
    assert predicted_by(session, base) == session.folder / "rounds" / "01" / "best.safetensors"


def test_a_model_of_other_categories_does_not_fit(
    make_checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    model = make_checkpoint()
    assert model_mismatch(model, KIND) == ""
    assert "predicts c0, and the session has lesion" in model_mismatch(
        model, (Category(id=1, name="lesion"),)
    )
    assert str(tmp_path / "gone") in model_mismatch(tmp_path / "gone", KIND)
    assert "follows prompts alone" in model_mismatch(make_checkpoint(prompts=True), KIND)


@pytest.mark.parametrize(
    ("owner", "own", "chosen", "expected"),
    [
        ("here", [BASE], SECOND, [BASE, FIRST, SECOND]),
        ("here", [BASE, SECOND], SECOND, [BASE, FIRST, SECOND]),
        ("here", [BASE, FIRST, BASE, SECOND], SECOND, [BASE, FIRST, BASE, SECOND]),
        ("here", [BASE], FIRST, [BASE]),
        ("elsewhere", [BASE], SECOND, [BASE]),
    ],
    ids=["goes on", "shorter", "longer", "another is chosen", "elsewhere"],
)
def test_models_go_on_from_session_to_session_of_one_place(
    owner: str, own: list[Path], chosen: Path, expected: list[Path]
) -> None:
    used = UsedModels()
    assert used.present is None
    used.enter_session("here", [BASE], BASE)
    used.add(FIRST)
    used.add(SECOND)
    used.enter_session(owner, own, chosen)
    assert (used.paths, used.owner) == (expected, owner)


def test_the_way_back_ends_at_the_first_model() -> None:
    used = UsedModels()
    assert not used.go_back()
    used.enter_session("here", [BASE, FIRST], FIRST)
    assert used.go_back()
    assert (used.present, used.can_go_back) == (BASE, False)
    assert not used.go_back()
    assert used.present == BASE
