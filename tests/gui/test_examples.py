"""The examples of the widgets, in a window; there is one for each widget."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import napari
import pytest
from npe2 import PluginManifest

from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg.session.review_queue import ReviewState

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

EXAMPLES = Path(__file__).parents[2] / "examples"
LONGEST = 120_000


@pytest.fixture
def example(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    qtbot: QtBot,
    make_napari_viewer: Any,
    only_this_plugin: None,
) -> Callable[[str, Callable[[Any], bool]], Any]:
    """Run an example until its window shows something, and return what the example defines."""
    # The fixture closes the windows that it makes, and looks for what they leave.
    monkeypatch.setattr(napari, "Viewer", make_napari_viewer)
    monkeypatch.setattr("tempfile.mkdtemp", lambda: str(tmp_path / "made"))
    monkeypatch.syspath_prepend(EXAMPLES)

    def run(name: str, is_done: Callable[[Any], bool]) -> Any:
        def wait() -> None:
            viewer = napari.current_viewer()
            qtbot.waitUntil(lambda: is_done(viewer) and not jobs.active_jobs(), timeout=LONGEST)

        monkeypatch.setattr(napari, "run", wait)
        return runpy.run_path(str(EXAMPLES / f"{name}.py"))

    return run


def test_import_coco(example: Any) -> None:
    widget = example("import_coco_widget", lambda _: True)["widget"]
    assert {category.name for category in widget.dataset().categories} == {"tumour", "oedema"}


def test_segment(example: Any) -> None:
    viewer = example("segment_widget", lambda viewer: len(viewer.layers) == 2)["viewer"]
    assert viewer.layers[-1].data.any()


def test_train(example: Any, tmp_path: Path) -> None:
    best = tmp_path / "made" / "run" / "best.safetensors"
    example("train_widget", lambda _: best.is_file())
    assert (best.parent / "history.csv").read_text().count("\n") == 1 + 3


def test_correct(example: Any, tmp_path: Path) -> None:
    file = tmp_path / "made" / "session" / "session.json"
    stored = example("correct_widget", lambda _: file.is_file() and "accepted" in file.read_text())
    states = stored["page"].desk.session.states
    assert states.count(ReviewState.ACCEPTED) == 1


def test_report(example: Any) -> None:
    widget = example("report_widget", lambda viewer: bool(viewer.window.dock_widgets))["widget"]
    assert widget.copy_button.text() == "Copy"


def test_every_widget_has_an_example() -> None:
    titles = {
        widget.display_name
        for widget in PluginManifest.from_distribution("napari-unet-seg").contributions.widgets
    }
    texts = "".join(path.read_text(encoding="utf-8") for path in EXAMPLES.glob("*_widget.py"))
    assert all(f'"{title}")' in texts for title in titles)
