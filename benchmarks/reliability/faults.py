"""Take the disk away from under work: full, read-only, files deleted and changed.

    python -m benchmarks.reliability.faults [--each 12] [--seed N]

A disk in memory is full, or becomes read-only, with a random number of bytes left; the work must
end in a sentence, and after room is made everything is checked as after a kill. Files are deleted
or changed at a random time while the work has them; the work must end, in a sentence if it cannot
be done. Disks in memory need the right to mount.
"""

from __future__ import annotations

import os
import random
import secrets
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from benchmarks.common.options import given_to, parser_of
from benchmarks.reliability.forks import processes
from benchmarks.reliability.record import keep_figures
from benchmarks.reliability.work import WORKS
from benchmarks.reliability.work.work import Found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from benchmarks.reliability.forks.processes import Ended
    from benchmarks.reliability.work.work import Work

_DISK = 64 * 2**20
_SLOW = 50
"""Share of kills up to which a work is tried less often."""
_REFUSED = "exit 2"


class Disk:
    """A small disk in memory, on which a work's folder is."""

    def __init__(self, work: Work, scratch: Path) -> None:
        self._work, self.log = work, scratch / "log"
        self._template, self.place = scratch / "template", scratch / "disk"
        self.copy, self._filler = self.place / "copy", self.place / "filler"
        self.place.mkdir()
        prepared = processes.run(work.prepare, self._template, log=self.log)
        if not prepared.done:
            raise RuntimeError(f"{work.name} cannot be prepared: {prepared.problem}")

    def fresh(self) -> Path:
        """Copy what the work starts from."""
        shutil.rmtree(self.copy, ignore_errors=True)
        self.log.write_text("")
        return shutil.copytree(self._template, self.copy)

    def mount(self) -> bool:
        """Mount the disk; return whether that is allowed."""
        command = ["mount", "-t", "tmpfs", "-o", f"size={_DISK}", "tmpfs", str(self.place)]
        return subprocess.run(command, capture_output=True).returncode == 0

    def unmount(self) -> None:
        """Forget the disk."""
        subprocess.run(["umount", "-l", str(self.place)], check=True)

    def remount(self, how: str) -> None:
        """Make the disk `ro` or `rw`."""
        subprocess.run(["mount", "-o", f"remount,{how}", str(self.place)], check=True)

    def fill(self, left: int) -> None:
        """Leave room for so many bytes."""
        room = os.statvfs(self.place).f_bavail * os.statvfs(self.place).f_bsize
        with self._filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(4096, room - left))

    def empty(self) -> None:
        """Make room again."""
        self._filler.unlink(missing_ok=True)

    def used(self) -> int:
        """Number of bytes that the work writes at most."""
        self.fresh()
        before = os.statvfs(self.place).f_bavail
        processes.run(self._work.run, self.copy, log=self.log)
        return (before - os.statvfs(self.place).f_bavail) * os.statvfs(self.place).f_bsize


def _problem(ended: Ended, log: str) -> str:
    """What is wrong with how the work ended."""
    if ended.hung:
        return "it does not end"
    if ended.problem and not ended.refused:
        return ended.problem.strip().splitlines()[-1]
    if "Traceback" in log:
        return "there is a traceback"
    return "no sentence" if "\n" in ended.problem else ""


def full(disk: Disk, work: Work, choose: random.Random, each: int) -> Iterator[tuple[Ended, str]]:
    """Leave too little room."""
    used = disk.used()
    for _ in range(each):
        disk.fresh()
        disk.fill(int(used * choose.uniform(0, 1.2)))
        ended = processes.run(work.run, disk.copy, log=disk.log)
        disk.empty()
        yield ended, _problem(ended, disk.log.read_text()) or _lost(disk, work, ended)


def read_only(
    disk: Disk, work: Work, choose: random.Random, each: int
) -> Iterator[tuple[Ended, str]]:
    """Let nothing be written, from the start."""
    disk.fresh()
    disk.remount("ro")
    for _ in range(min(2, each)):
        ended = processes.run(work.run, disk.copy, log=disk.log)
        yield ended, _problem(ended, disk.log.read_text())
    disk.remount("rw")
    ended = processes.run(work.run, disk.copy, log=disk.log)
    yield ended, _problem(ended, disk.log.read_text()) or _lost(disk, work, ended)


def _lost(disk: Disk, work: Work, ended: Ended) -> str:
    """What is lost after room was made."""
    checked = processes.run(work.check, disk.copy, ended.told, log=disk.log)
    found = checked.told[-1] if checked.told else Found()
    if not checked.done:
        found.lost.append(f"afterwards: {checked.problem.strip().splitlines()[-1]}")
    return found.lost[0] if found.lost else ""


def deleted(
    disk: Disk, work: Work, choose: random.Random, each: int
) -> Iterator[tuple[Ended, str]]:
    """Delete a file or a folder while the work has it."""
    yield from _while_it_works(disk, work, choose, each, _delete)


def changed(
    disk: Disk, work: Work, choose: random.Random, each: int
) -> Iterator[tuple[Ended, str]]:
    """Cut a file or overwrite its middle while the work has it."""
    yield from _while_it_works(disk, work, choose, each, _change)


def _while_it_works(
    disk: Disk,
    work: Work,
    choose: random.Random,
    each: int,
    act: Callable[[Path, random.Random], None],
) -> Iterator[tuple[Ended, str]]:
    disk.fresh()
    seconds = processes.run(work.run, disk.copy, log=disk.log).seconds
    for _ in range(each):
        disk.fresh()
        ended = processes.run(
            work.run,
            disk.copy,
            log=disk.log,
            seconds=choose.uniform(0, seconds),
            act=lambda: act(disk.copy, choose),
        )
        yield ended, _problem(ended, disk.log.read_text())


def _delete(folder: Path, choose: random.Random) -> None:
    victim = choose.choice(sorted(folder.rglob("*")))
    with suppress(OSError):
        shutil.rmtree(victim) if victim.is_dir() else victim.unlink()


def _change(folder: Path, choose: random.Random) -> None:
    victim = choose.choice(sorted(p for p in folder.rglob("*") if p.is_file()))
    with suppress(OSError):
        size = victim.stat().st_size
        if choose.random() < 0.5:
            os.truncate(victim, choose.randint(0, size))
        else:
            with victim.open("rb+") as file:
                file.seek(choose.randint(0, size))
                file.write(choose.randbytes(64))


FAULTS = {"full disk": full, "read-only disk": read_only, "deleted": deleted, "changed": changed}
_ON_A_DISK = ("full disk", "read-only disk")


def measure(work: Work, fault: str, scratch: Path, choose: random.Random, each: int) -> Any:
    """Let a fault happen to a work; return the figures, None where nothing can be mounted."""
    start, disk = time.perf_counter(), Disk(work, scratch)
    mounted = fault in _ON_A_DISK and disk.mount()
    if fault in _ON_A_DISK and not mounted:
        return None
    figures: dict[str, Any] = {"fault": fault, "work": work.name, "tried": 0, "refused": 0}
    losses = []
    try:
        for ended, problem in FAULTS[fault](disk, work, choose, each):
            figures["tried"] += 1
            figures["refused"] += ended.refused or _REFUSED in ended.told
            losses += [problem] if problem else []
    finally:
        if mounted:
            disk.unmount()
    figures |= {"lost": len(losses), "seconds": round(time.perf_counter() - start, 1)}
    return figures | {"losses": sorted(set(losses))[:20]}


def main() -> bool:
    """Let all faults happen, and keep the figures; return whether anything was lost."""
    parser = parser_of(__doc__)
    parser.add_argument("--each", type=int, default=12, help="tries for each work and fault")
    parser.add_argument("--only", default="", help="part of the name of some works")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    with given_to(parser, each=1, only="slices accepted") as given:
        processes.prepare_server()
        choose = random.Random(given.seed)
        rows = []
        for fault in FAULTS:
            for work in WORKS:
                if given.only not in work.name or work.victim == "child":
                    continue
                scratch = given.scratch / f"{fault}-{WORKS.index(work)}"
                scratch.mkdir()
                # What starts processes takes long.
                each = given.each if work.share > _SLOW else max(1, given.each // 4)
                rows.append(measure(work, fault, scratch, choose, each))
                sys.stderr.write(f"{rows[-1]}\n")
        keep = not given.smoke and not given.only
        figures = {"seed": given.seed, "works": [row for row in rows if row]}
        keep_figures("faults", figures, keep=keep)
        return any(row and row["lost"] for row in rows)


if __name__ == "__main__":
    sys.exit(main())
