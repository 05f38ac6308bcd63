"""The names of models in lists."""

from __future__ import annotations

import os
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from napari_unet_seg.models import BRAIN, BUNDLED
from napari_unet_seg.models.description import dice_text, listed_name, model_name, session_of
from napari_unet_seg.models.header import HEADER_KEY, read_header

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DAY = datetime(2026, 11, 28, 12).timestamp()


@pytest.fixture
def make_model(tmp_path: Path, make_checkpoint: Callable[..., Path]) -> Callable[..., Path]:
    """Write a checkpoint of a day to a place below a folder, with values of its header."""

    def make(place: str, **values: Any) -> Path:
        source, path = make_checkpoint(), tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        info = read_header(source).model_copy(update=values)
        with safe_open(source, "numpy") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}
        save_file(tensors, path, {HEADER_KEY: info.model_dump_json()})
        os.utime(path, (DAY, DAY))
        return path

    return make


@pytest.mark.parametrize(
    ("place", "source", "name"),
    [
        ("patient-03/rounds/02/best.safetensors", "session patient-03", "patient-03 · round 2"),
        ("runs/2026-11-28-101500/best.safetensors", "/data/lgg", "lgg"),
        ("runs/2026-11-28-101500/last.safetensors", "session patient-03", "patient-03"),
        ("runs/tumours/best.safetensors", "/data/lgg", "tumours"),
        ("downloads/other.safetensors", "/data/lgg", "other"),
    ],
)
def test_a_model_is_named_by_its_case_and_date(
    make_model: Callable[..., Path], place: str, source: str, name: str
) -> None:
    model = make_model(place, summary={"source": source, "valid": 3}, metrics={"valid_dice": 0.9})
    assert model_name(model) == f"{name} · 2026-11-28"
    assert listed_name(model) == f"{name} · 2026-11-28 · Dice 0.90 on 3 held-out slices"


def test_a_long_name_keeps_its_ends(make_model: Callable[..., Path]) -> None:
    place = f"{'patient-' * 9}left/rounds/01/best.safetensors"
    assert model_name(make_model(place)) == "patient-patie…t-patient-left · round 1 · 2026-11-28"


@pytest.mark.parametrize(
    ("count", "text"),
    [(1, "1 held-out slice"), (2, "2 held-out slices"), (None, "held-out slices")],
)
def test_the_dice_says_how_many_slices_it_is_of(
    make_model: Callable[..., Path], count: int | None, text: str
) -> None:
    summary = {} if count is None else {"valid": count}
    model = make_model("a.safetensors", summary=summary, metrics={"valid_dice": 0.99})
    assert dice_text(read_header(model)) == f"Dice 0.99 on {text}"


def test_a_model_without_held_out_slices_has_no_dice(make_model: Callable[..., Path]) -> None:
    assert listed_name(make_model("a.safetensors")) == "a · 2026-11-28"


def test_models_of_the_package_and_a_missing_one_have_names(tmp_path: Path) -> None:
    bundled = "Bundled model · finds tumour in T1 with contrast · Dice 0.82 on 894 "
    assert listed_name(BUNDLED).startswith(bundled)
    assert listed_name(BRAIN).startswith("Brain model · finds brain in any sequence · Dice 0.9")
    assert listed_name(tmp_path / "s" / "rounds" / "01" / "best.safetensors") == "s · round 1"


def test_only_a_round_has_a_session(tmp_path: Path) -> None:
    assert session_of(tmp_path / "s" / "rounds" / "01" / "best.safetensors") == tmp_path / "s"
    assert session_of(tmp_path / "runs" / "a" / "best.safetensors") is None
