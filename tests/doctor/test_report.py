"""The report: what it holds, and what it must not hold."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from napari_unet_seg import log
from napari_unet_seg.cli import main
from napari_unet_seg.doctor import model_check, report
from napari_unet_seg.doctor.last_errors import last_errors
from napari_unet_seg.io.common.scan import Scan

SECRET = "Doe^Jane-1970"


def test_errors_keep_class_and_place_and_lose_names_and_messages(own_log):
    try:
        try:
            Scan(np.zeros((2, 2)), SECRET)
        except Exception as error:
            raise OSError(f"{SECRET}.dcm\n  File cannot be read") from error
    except OSError as error:
        log.problem(error, f"/data/{SECRET}/scan.dcm")
    with own_log.open("a") as file:
        file.write("Fatal Python error: Segmentation fault\n\nCurrent thread 0x1:\n")
    assert SECRET in own_log.read_text()
    first, second, third = last_errors()
    assert "in common/scan.py:" in first and "__post_init__" in first
    assert "OSError in …:" in second
    assert third.endswith("crash: Segmentation fault")
    assert SECRET not in f"{first}{second}{third}"


def test_a_crash_of_a_check_is_told(tmp_path, monkeypatch):
    (tmp_path / "crashes.py").write_text(
        "import os, sys\nprint('PyQt', flush=True)\nsys.stderr.write('no display')\nos.abort()\n"
    )
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    found = report._in_child("Window", "crashes")
    assert found == report.Section(
        "Window", ("PyQt", "FAILED with exit code -6: no display"), False
    )


def test_a_check_that_hangs_is_told(monkeypatch):
    def hang(*_, **options):
        raise subprocess.TimeoutExpired("python", options["timeout"])

    monkeypatch.setattr(subprocess, "run", hang)
    assert report._in_child("Devices", "anything").lines == ("FAILED: TimeoutExpired",)


def test_the_models_answer_as_stored():
    # After a change of a model: python -m benchmarks.bundled.store_answers
    names = ("bundled", "any-sequence", "brain", "prompts")
    assert model_check.check() == ([f"{name}: as stored" for name in names], True)


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({"sha256": "0" * 64}, "its file has changed"),
        ({"answer": [1.0] * 16}, "its answer differs by"),
    ],
)
def test_a_model_that_answers_otherwise_is_told(tmp_path, monkeypatch, change, verdict):
    stored = json.loads(model_check.ANSWERS.read_text())
    stored["prompts"] |= change
    (tmp_path / "answers.json").write_text(json.dumps(stored))
    monkeypatch.setattr(model_check, "ANSWERS", tmp_path / "answers.json")
    (*_, line), good = model_check.check()
    assert verdict in line and not good


def test_the_program_writes_the_report_and_tells_of_a_failure(tmp_path, monkeypatch, capsys):
    found = [
        report.Section("Versions", ("a 1", "b 2")),
        report.Section("Window", ("FAILED",), False),
    ]
    monkeypatch.setattr(report, "sections", lambda: iter(found))
    file = tmp_path / "new" / "report.txt"
    assert main(["doctor", "--report", str(file)]) == 2
    assert file.read_text() == "Versions\n  a 1\n  b 2\n\nWindow\n  FAILED\n"
    assert capsys.readouterr().out.startswith("Versions\n  a 1\n")
