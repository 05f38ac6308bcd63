"""The log: whose records it keeps, and that it disturbs nothing."""

from __future__ import annotations

import logging
import subprocess
import sys
import warnings

import nibabel
import pytest
from PIL import Image

from napari_unet_seg import log
from napari_unet_seg.errors import DataError


def test_an_operation_is_one_line_with_facts_and_outcome(own_log):
    with log.operation("predict", scan="a.nii.gz") as facts:
        facts["device"] = "CPU"
    with pytest.raises(DataError), log.operation("predict", scan="b.nii.gz"):
        raise DataError("b.nii.gz is torn; copy it again.")
    with pytest.raises(KeyboardInterrupt), log.operation("train"):
        raise KeyboardInterrupt
    done, refused, stopped = own_log.read_text().splitlines()
    assert "predict scan=a.nii.gz device=CPU 0.0 s done" in done
    assert refused.endswith("refused: b.nii.gz is torn; copy it again.")
    assert stopped.endswith("stopped")


def test_a_foreseen_error_is_its_own_sentence_and_another_leaves_its_trace(own_log):
    assert log.problem(DataError("a.tif is torn; copy it again."), "a.tif") == (
        "a.tif is torn; copy it again."
    )
    assert "Traceback" not in own_log.read_text()
    try:
        _ = {}["axes"]
    except KeyError as error:
        sentence = log.problem(error, "b.tif")
    assert sentence.startswith("b.tif failed (KeyError: 'axes')") and str(own_log) in sentence
    assert "\n" not in sentence
    written = own_log.read_text()
    assert "Traceback" in written and "test_log.py" in written
    assert "does not fit into memory" in log.problem(MemoryError(), "c.tif")


def test_warnings_and_records_of_libraries_are_in_the_log_alone(own_log, capfd):
    nibabel.imageglobals.logger.warning("pixdim[1,2,3] should be positive")
    logging.getLogger("pydicom.filereader").warning("an odd element")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        log.start()  # pytest has replaced the function that shows warnings
        warnings.warn("a large image", Image.DecompressionBombWarning, stacklevel=1)
    text = own_log.read_text()
    for part in ("pixdim", "an odd element", "a large image"):
        assert text.count(part) == 1
    assert capfd.readouterr() == ("", "")


def test_a_log_that_cannot_be_written_disturbs_nothing(tmp_path, monkeypatch, capfd):
    with monkeypatch.context() as patch:
        (tmp_path / "file").write_text("in the way")
        patch.setenv(log.FOLDER_VARIABLE, str(tmp_path / "file"))
        log.start()
        log.logger.error("nobody sees this")
    log.start()
    assert capfd.readouterr() == ("", "")


def test_full_files_are_kept_aside_and_removed_in_the_end(own_log, monkeypatch):
    monkeypatch.setattr(log._file, "maxBytes", 1000)
    for number in range(100):
        log.logger.info("line %d of a long log", number)
    files = sorted(p.name for p in own_log.parent.iterdir())
    assert files == [own_log.name, *(f"{own_log.name}.{n}" for n in (1, 2, 3))]
    assert "line 99 " in own_log.read_text()


def test_a_crash_of_the_interpreter_is_in_the_log(tmp_path, monkeypatch):
    monkeypatch.setenv(log.FOLDER_VARIABLE, str(tmp_path))
    code = "import ctypes; from napari_unet_seg import log; log.start(); ctypes.string_at(0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode < 0 and done.stderr == b""
    assert "Segmentation fault" in log.path().read_text()
