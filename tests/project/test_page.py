"""The page of results is made of the records that are there."""

from __future__ import annotations

import importlib
import json
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"
MACHINES = [
    path.relative_to(RESULTS)
    for kind in ("predict", "prompt_times")
    for path in sorted((RESULTS / kind).glob("*.json"))
]


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A copy of the records, of which the page is made."""
    monkeypatch.syspath_prepend(ROOT)
    records = importlib.import_module("benchmarks.common.records")
    results = Path(shutil.copytree(RESULTS, tmp_path / "results"))
    monkeypatch.setattr(records, "RESULTS", results)
    return results


def text() -> str:
    use, prompts = (
        importlib.import_module(f"benchmarks.page.{name}") for name in ("use", "prompts")
    )
    return f"{use.prediction()}\n{prompts.prompts()}"


@pytest.mark.parametrize("missing", MACHINES, ids=str)
def test_without_the_record_of_a_machine_the_others_are_told(results: Path, missing: Path) -> None:
    whole = text()
    name = json.loads((results / missing).read_text())["name"]
    (results / missing).unlink()
    left = text()
    rows = [line for line in whole.splitlines() if line.startswith("| ")]
    lost = [line for line in rows if line not in left.splitlines()]
    assert lost and all(line.startswith(f"| {name} |") for line in lost)


def test_a_time_that_one_machine_lacks_is_left_open(results: Path) -> None:
    path = sorted((results / "prompt_times").glob("*.json"))[0]
    record = json.loads(path.read_text())
    del record["ms"]["640"]
    path.write_text(json.dumps(record))
    assert f"| {record['name']} | 1 | bfloat16 | {record['ms']['256']:.1f} ms | – |" in text()
