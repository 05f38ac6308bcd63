"""The examples without a window run, and there is one for each public call."""

from __future__ import annotations

import ast
import runpy
from pathlib import Path

import pytest

import napari_unet_seg

EXAMPLES = Path(__file__).parents[2] / "examples"
WITHOUT_WINDOW = sorted(
    path.name for path in EXAMPLES.glob("*.py") if not path.stem.endswith("_widget")
)


@pytest.mark.parametrize("name", WITHOUT_WINDOW)
def test_the_example_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(EXAMPLES)
    monkeypatch.setattr("tempfile.mkdtemp", lambda: str(tmp_path))
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    assert name == "squares.py" or capsys.readouterr().out


def test_every_public_call_has_an_example() -> None:
    calls = {
        name
        for name in napari_unet_seg.__all__
        if name.islower() and callable(getattr(napari_unet_seg, name))
    }
    used = {
        node.func.id
        for path in EXAMPLES.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert calls
    assert calls <= used
