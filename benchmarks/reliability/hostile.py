"""Give the program files made to hurt, with a limit on its memory.

    python -m benchmarks.reliability.hostile [--only NAME]

Each file must be refused in a sentence, or be read, within a minute and ten times its size of
memory above what any file needs. Memory is the peak of the resident set of the program, and of the
engine's process where one starts, by Linux' own account. An address space of 4 GiB more than the
program begins with is all it gets.
"""

from __future__ import annotations

import resource
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.common.options import given_to, parser_of
from benchmarks.reliability import inputs
from benchmarks.reliability.forks import processes
from benchmarks.reliability.hostile_files.documents import DOCUMENTS
from benchmarks.reliability.hostile_files.images import IMAGES
from benchmarks.reliability.record import keep_figures

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT_S = 60
TIMES = 10
_BASE = 256 * 2**20
"""What any file may need."""
_ENGINE = 700 * 2**20
"""What the engine's process has with torch and a small network, and no file."""
_ADDRESSES = 4 * 2**30
_STATUS = Path("/proc/self/status")


def _memory(key: str) -> int:
    (line,) = (line for line in _STATUS.read_text().splitlines() if line.startswith(f"{key}:"))
    return int(line.split()[1]) * 1024


def _command(folder: Path, path: Path) -> list[str]:
    """Give the file to the command that reads such files."""
    scan, out = str(folder / "scan.tif"), ["--out", str(folder / "out")]
    if path.suffix == ".json":
        return ["import", str(path), *out]
    if path.suffix == ".safetensors":
        return ["predict", scan, "--model", str(path), *out]
    if path.suffix == ".yaml":
        return ["train", str(folder / "data"), "--config", str(path), "--epochs", "1", *out]
    if path.name == "session":
        return ["finetune", str(folder / "model.safetensors"), "--data", str(path), *out]
    return ["predict", str(path), "--model", str(folder / "model.safetensors"), *out]


def _prepare(folder: Path, tell: Any) -> None:
    folder.mkdir()
    inputs.pairs(folder / "data", 4)
    inputs.model(folder / "model.safetensors")
    inputs.scans(folder / "scans", 1)
    (folder / "scans" / "s0.tif").rename(folder / "scan.tif")


def _make(make: Callable[[Path], None], path: Path, tell: Any) -> None:
    make(path)


def _read(folder: Path, path: Path, tell: Any) -> None:
    """Let the program read, and tell its exit code and its memory."""
    from napari_unet_seg.cli import main

    room = _memory("VmSize") + _ADDRESSES
    resource.setrlimit(resource.RLIMIT_AS, (room, room))
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    before = _memory("VmRSS")
    code = main(_command(folder, path))
    grown = _memory("VmHWM") - before
    from napari_unet_seg.process.engine_process import close_all

    close_all()
    engine = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    tell((code, max(grown, engine - _ENGINE)))


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(_size(inner) for inner in path.rglob("*") if inner.is_file())
    return 0 if path.is_symlink() else path.stat().st_size


def attack(make: Callable[[Path], None], name: str, folder: Path, log: Path) -> dict[str, Any]:
    """Make a file and let the program read it; tell what came of it."""
    place = folder / "hostile"
    shutil.rmtree(place, ignore_errors=True)
    shutil.rmtree(folder / "out", ignore_errors=True)
    place.mkdir()
    made = processes.run(_make, make, place / name, log=log)
    if not made.done:
        raise RuntimeError(made.problem)
    size = _size(place / name)
    log.write_text("")
    start = time.perf_counter()
    ended = processes.run(_read, folder, place / name, log=log, seconds=1.1 * LIMIT_S)
    seconds = time.perf_counter() - start
    code, grown = ended.told[-1] if ended.told else (None, 0)
    lines = log.read_text(errors="replace").strip().splitlines()
    problem = _problem(ended, code, lines)
    if seconds > LIMIT_S:
        problem = problem or f"it takes longer than {LIMIT_S} s"
    if grown > _BASE + TIMES * size:
        problem = problem or f"it takes {grown / 2**20:.0f} MiB"
    return {
        "file": f"{make.__name__.replace('_', ' ')}, {name}",
        "what": (make.__doc__ or "").rstrip("."),
        "size": size,
        "outcome": "failed" if problem else ("refused" if code == 2 else "read"),
        "problem": problem,
        "sentence": next((line for line in reversed(lines) if str(place) in line), "").replace(
            f"{place}/", ""
        )[:300],
        "seconds": round(seconds, 1),
        "mebibytes": round(grown / 2**20),
    }


def _problem(ended: processes.Ended, code: int | None, lines: list[str]) -> str:
    """What is wrong with how the program ended."""
    if any("Traceback" in line for line in lines):
        return f"there is a traceback: {lines[-1]}"
    if ended.killed or ended.hung:
        return f"it takes longer than {LIMIT_S} s"
    if ended.problem:
        return ended.problem.strip().splitlines()[-1]
    if not ended.done:
        return "the process died"
    return "" if code in (0, 2) else f"exit code {code}"


def main() -> bool:
    """Attack, and keep the figures; return whether anything failed."""
    parser = parser_of(__doc__)
    parser.add_argument("--only", default="", help="part of the name of some files")
    with given_to(parser, only="header") as given:
        processes.prepare_server()
        folder, log = given.scratch / "inputs", given.scratch / "log"
        processes.run(_prepare, folder, log=log)
        rows = []
        for make, name in (*IMAGES, *DOCUMENTS):
            if given.only in make.__name__:
                rows.append(attack(make, name, folder, log))
                sys.stderr.write(f"{rows[-1]}\n")
        keep = not given.smoke and not given.only
        keep_figures("hostile", {"files": rows}, keep=keep)
        return any(row["outcome"] == "failed" for row in rows)


if __name__ == "__main__":
    sys.exit(main())
