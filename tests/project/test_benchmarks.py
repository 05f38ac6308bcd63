"""Every script of benchmarks/ and docs/ at its smallest size: figures can be repeated."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]

ROOT = Path(__file__).parents[2]
WITHOUT_WINDOW = {
    "accuracy.brisc": ["train", "--name", "best"],
    "accuracy.carried_parts": [],
    "accuracy.missing_sequences": [],
    "accuracy.neighbours": [],
    "accuracy.predicted_dice": [],
    "accuracy.sequences": [],
    "accuracy.smoothing": [],
    "accuracy.tumorseg": [],
    "accuracy.volumes": [],
    "bundled.ablate_sequences": [],
    "bundled.bundle_sequences": [],
    "bundled.store_answers": [],
    "bundled.train_brain": ["measure"],
    "bundled.train_bundled": ["measure"],
    "bundled.train_sequences": [],
    "bundled.write_cards": [],
    "correction.annotation_effort": [],
    "correction.box_outline": [],
    "correction.fine_tuning": [],
    "correction.learning": [],
    "correction.learning_head": [],
    "correction.new_category": [],
    "correction.prompt_tuning": [],
    "correction.repeatability": [],
    "correction.scribble": [],
    "page.results": [],
    "prompts.bundle": ["weights"],
    "prompts.cache": [],
    "prompts.carry_ways": [],
    "prompts.look_at_all": [],
    "prompts.measure": [],
    "prompts.train": [],
    "prompts.worst": [],
    "reliability.fuzz": [],
    "reliability.report": [],
    "robustness.coco": [],
    "robustness.fuzz": [],
    "robustness.images": [],
    "sheets.brain": [],
    "sheets.worst": [],
    "speed.carried_parts": [],
    "speed.coco": [],
    "speed.predict": ["--name", "smoke"],
    "speed.training": ["--name", "smoke"],
}
IN_PROCESSES = ("kills", "faults", "links", "hostile")
"""Scripts of `reliability` that fork processes, from one without threads of other tests."""
PATIENCE = 300
"""Seconds for a script."""
IN_A_WINDOW = {
    "reliability.window": ["-m", "benchmarks.reliability.window"],
    "speed.autosave": ["-m", "benchmarks.speed.autosave"],
    "speed.click": ["-m", "benchmarks.speed.click"],
    "speed.import_coco": ["-m", "benchmarks.speed.import_coco"],
    "speed.point": ["-m", "benchmarks.speed.point"],
    "speed.responsiveness": ["-m", "benchmarks.speed.responsiveness"],
    "make_animation": ["docs/make_animation.py"],
    "make_case_pictures": ["docs/make_case_pictures.py"],
    "make_pictures": ["docs/make_pictures.py"],
    "make_tool_pictures": ["docs/make_tool_pictures.py"],
}


def committed() -> dict[Path, int]:
    """Return when what the scripts write at their full size was written."""
    names = ("reference/formats.md", "reference/reliability.md", "explanation/results.md")
    pages = (ROOT / "docs" / name for name in names)
    weights = (ROOT / "napari_unet_seg").rglob("*.safetensors")
    records = (ROOT / "benchmarks" / "results").rglob("*.json")
    return {path: path.stat().st_mtime_ns for path in (*pages, *weights, *records)}


@pytest.fixture(autouse=True)
def nothing_is_kept() -> object:
    before = committed()
    yield
    assert committed() == before


@pytest.mark.parametrize("script", WITHOUT_WINDOW)
def test_it_measures_without_a_window(
    script: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "argv", [script, *WITHOUT_WINDOW[script], "--smoke"])
    monkeypatch.syspath_prepend(ROOT)
    monkeypatch.chdir(tmp_path)
    main = importlib.import_module(f"benchmarks.{script}").main
    assert not main()


@pytest.mark.parametrize(
    "script", [*IN_PROCESSES, pytest.param("kill_window", marks=pytest.mark.gui)]
)
def test_nothing_is_lost_in_a_few_tries(script: str) -> None:
    done = run("-m", f"benchmarks.reliability.{script}", "--smoke")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def forks() -> Iterator[subprocess.Popen[str]]:
    """A process that has imported napari, which takes longer than most of the scripts."""
    server = ROOT / "tests" / "helpers" / "script_forks.py"
    command = [sys.executable, "-W", "ignore", str(server)]
    pipe = subprocess.PIPE
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, text=True
    ) as process:
        yield process
        process.stdin.close()


@pytest.mark.gui
@pytest.mark.parametrize("script", IN_A_WINDOW)
def test_it_measures_in_a_window(script: str, forks: subprocess.Popen[str], tmp_path: Path) -> None:
    printed = tmp_path / "printed.txt"
    asked = json.dumps([[*IN_A_WINDOW[script], "--smoke"], str(printed)])
    print(asked, file=forks.stdin, flush=True)
    assert wait([forks.stdout], PATIENCE), f"{script} does not end"
    assert forks.stdout.readline() == "0\n", printed.read_text()


def test_the_table_of_formats_can_be_made() -> None:
    done = run("docs/make_formats.py", "--smoke")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("module", ["page.results", "reliability.report"])
def test_a_page_is_that_of_the_records(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT)
    page = importlib.import_module(f"benchmarks.{module}")
    assert page.PAGE.read_text(encoding="utf-8") == page.text()


@pytest.mark.parametrize("model", ["bundled", "any-sequence", "brain"])
def test_a_card_is_that_of_the_records(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT)
    cards = importlib.import_module("benchmarks.bundled.write_cards")
    assert cards.OWN[model].card.read_text(encoding="utf-8") == cards.CARDS[model]()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)


def test_every_script_is_run() -> None:
    scripts = {
        f"{path.parent.name}.{path.stem}"
        for path in (ROOT / "benchmarks").glob("*/*.py")
        if "__main__" in path.read_text(encoding="utf-8")
    }
    forked = {f"reliability.{name}" for name in (*IN_PROCESSES, "kill_window")}
    made = {path.stem for path in (ROOT / "docs").glob("make_*.py")}
    assert made <= {*IN_A_WINDOW, "make_formats", "make_keys"}
    assert scripts == {*WITHOUT_WINDOW, *forked, *(name for name in IN_A_WINDOW if "." in name)}
