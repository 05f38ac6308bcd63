from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import fake_engine
import numpy as np
import psutil
import pytest

from napari_unet_seg.errors import DataError, EngineError
from napari_unet_seg.events import Command
from napari_unet_seg.process.child import AHEAD
from napari_unet_seg.process.engine_process import EngineProcess

if TYPE_CHECKING:
    from collections.abc import Iterator


def wait_until_idle(process: psutil.Process) -> None:
    """Return once all the child's threads sleep, and stay asleep."""
    quiet = 0
    while quiet < 10:
        before = sum(process.cpu_times()[:2])
        quiet = quiet + 1 if process.status() == psutil.STATUS_SLEEPING else 0
        psutil.cpu_percent(interval=0.02)
        quiet = 0 if sum(process.cpu_times()[:2]) != before else quiet


@pytest.fixture(scope="module")
def engine() -> Iterator[EngineProcess]:
    with EngineProcess() as process:
        yield process


def test_events_arrive_in_order(engine: EngineProcess) -> None:
    assert list(engine.stream(fake_engine.count, 7)) == list(range(7))


def test_a_function_can_be_named_without_importing_it(engine: EngineProcess) -> None:
    assert list(engine.stream("fake_engine:count", 2)) == [0, 1]


def test_the_child_stays_warm_between_streams(engine: EngineProcess) -> None:
    (first,) = engine.stream("fake_engine:kept")
    assert list(engine.stream("fake_engine:kept")) == [first + 1]


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype=np.float16).reshape(3, 4),
        np.zeros((0, 5)),
        np.arange(24).reshape(4, 6)[:, ::2],
        np.zeros((50, 1000, 1000), np.uint8),
    ],
    ids=["small", "empty", "strided", "50MB"],
)
def test_arrays_cross_unchanged_and_writable(engine: EngineProcess, array: np.ndarray) -> None:
    (back,) = engine.stream("fake_engine:echo", array)
    np.testing.assert_array_equal(back, array + 1)
    assert back.dtype == array.dtype
    assert back.flags.writeable


def test_prints_in_the_child_do_not_confuse_it(engine: EngineProcess) -> None:
    assert list(engine.stream("fake_engine:chatter")) == ["heard"]


def test_stop_reaches_the_generator_within_the_events_it_is_ahead(engine: EngineProcess) -> None:
    stream = engine.stream("fake_engine:count", 100)
    assert next(stream) == 0
    events = [stream.send(Command.STOP), *stream]
    assert events[-1] == -1
    assert len(events) <= 4


def test_who_does_not_pull_pauses_the_child(engine: EngineProcess, tmp_path: Path) -> None:
    note = tmp_path / "note"
    stream = engine.stream("fake_engine:noted", 100, str(note))
    for _ in range(3):
        next(stream)
    wait_until_idle(psutil.Process(engine.pid))
    assert int(note.read_text()) < 3 + AHEAD
    stream.close()


def test_a_closed_stream_closes_the_generator_and_leaves_the_child_usable(
    engine: EngineProcess, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    stream = engine.stream("fake_engine:noted", 100, str(note))
    next(stream)
    pid = engine.pid
    stream.close()
    assert note.read_text() == "closed"
    assert list(engine.stream("fake_engine:count", 3)) == [0, 1, 2]
    assert engine.pid == pid


def test_users_errors_come_as_they_are(engine: EngineProcess) -> None:
    with pytest.raises(DataError, match=r"^scan\.tif holds no slices; choose another file\.$"):
        list(engine.stream("fake_engine:bad_data"))


def test_out_of_memory_names_the_mend(engine: EngineProcess) -> None:
    with pytest.raises(EngineError, match=r"out of memory.*2\.00 GiB.*smaller batch") as caught:
        list(engine.stream("fake_engine:torch_out_of_memory"))
    assert "\n" not in str(caught.value)
    assert any("OutOfMemoryError" in note for note in caught.value.__notes__)


def test_a_bug_becomes_an_engine_error_with_its_traceback(engine: EngineProcess) -> None:
    with pytest.raises(EngineError, match="RuntimeError: tensors disagree") as caught:
        list(engine.stream("fake_engine:bug"))
    assert "in bug" in caught.value.__notes__[0]


@pytest.mark.parametrize(
    "function", ["fake_engine:nothing", "no_module:f", "fake_engine:unpicklable"]
)
def test_what_cannot_be_run_is_an_engine_error(engine: EngineProcess, function: str) -> None:
    with pytest.raises(EngineError):
        list(engine.stream(function))
    assert list(engine.stream("fake_engine:count", 1)) == [0]


def test_arguments_that_cannot_be_pickled_leave_it_usable(engine: EngineProcess) -> None:
    with pytest.raises((AttributeError, TypeError)):
        list(engine.stream("fake_engine:echo", lambda: None))
    assert list(engine.stream("fake_engine:count", 1)) == [0]


def test_a_second_stream_is_refused_while_one_runs(engine: EngineProcess) -> None:
    stream = engine.stream("fake_engine:count", 5)
    next(stream)
    assert engine.busy
    with pytest.raises(EngineError, match="busy"):
        next(engine.stream("fake_engine:count", 5))
    assert list(stream) == [1, 2, 3, 4]
    assert not engine.busy


def test_a_killed_child_is_an_engine_error_and_the_next_stream_works() -> None:
    with EngineProcess() as engine:
        with pytest.raises(EngineError, match="ended unexpectedly") as caught:
            list(engine.stream("fake_engine:killed"))
        assert "last words" in caught.value.__notes__[0]
        assert list(engine.stream("fake_engine:count", 1)) == [0]


def test_threads_and_niceness_reach_the_child() -> None:
    with EngineProcess(threads=1, niceness=7) as engine:
        (facts,) = engine.stream("fake_engine:facts")
    assert facts["threads"] == "1"
    assert facts["nice"] == os.nice(0) + 7
    assert facts["mmap"] == ("0" if sys.platform == "linux" else None)


def test_close_ends_the_child_even_from_a_long_step() -> None:
    engine = EngineProcess()
    stream = engine.stream("fake_engine:stuck")
    next(stream)
    child = psutil.Process(engine.pid)
    engine.close()
    assert not child.is_running()
    assert list(stream) == []


def test_the_child_does_not_outlive_a_killed_parent() -> None:
    code = textwrap.dedent("""
        import time
        from napari_unet_seg.process.engine_process import EngineProcess
        engine = EngineProcess()
        stream = engine.stream("fake_engine:stuck")
        next(stream)
        print(engine.pid, flush=True)
        time.sleep(600)
    """)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "helpers")}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment
    ) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.send_signal(signal.SIGKILL)
    child.wait(timeout=20)


def test_the_program_ends_with_a_stream_open() -> None:
    code = textwrap.dedent("""
        from napari_unet_seg.process.engine_process import EngineProcess
        stream = EngineProcess().stream("fake_engine:count", 100)
        print(next(stream))
    """)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "helpers")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60
    )
    assert (done.stdout, done.stderr, done.returncode) == ("0\n", "", 0)


def test_the_parent_does_not_import_torch() -> None:
    code = "import sys, napari_unet_seg.process.engine_process; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
