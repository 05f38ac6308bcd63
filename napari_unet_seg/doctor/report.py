"""The report: versions, window, devices, models, space and the last errors, as text."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from napari_unet_seg import __version__, log
from napari_unet_seg.doctor.last_errors import last_errors

if TYPE_CHECKING:
    from collections.abc import Generator

PACKAGES = (
    *("numpy", "torch", "napari", "vispy", "qtpy", "PyQt5", "PyQt6", "PySide6", "pyqtgraph"),
    *("nibabel", "pydicom", "highdicom", "tifffile", "imagecodecs", "pillow", "pycocotools"),
    *("scikit-image", "scipy", "pydantic", "safetensors", "zarr", "dask", "distributed"),
)
_GRAPHICS = "napari_unet_seg._napari.report.graphics"
_DEVICES = "napari_unet_seg.doctor.devices"
_MODELS = "napari_unet_seg.doctor.model_check"
_PATIENCE = 180
"""Seconds for one check; a driver may hang."""


class Section(NamedTuple):
    """A part of the report."""

    title: str
    lines: tuple[str, ...]
    good: bool = True
    """False if something was found that must be mended."""

    def __str__(self) -> str:
        """Return the title and the lines, indented."""
        return "\n".join([self.title, *(f"  {line}" for line in self.lines)])


def sections() -> Generator[Section, object, None]:
    """Check one thing after another; what may crash is tried in a child process."""
    yield Section("Versions", _versions())
    yield Section("Memory and disks", _space())
    yield _in_child("Devices", _DEVICES)
    yield _in_child("Bundled models", _MODELS)
    yield _in_child("Window", _GRAPHICS)
    yield Section("Last errors, without the names of files", last_errors() or ("none",))


def _versions() -> tuple[str, ...]:
    lines = [
        f"napari-unet-seg {__version__}",
        f"Python {platform.python_version()}, {platform.platform()}",
    ]
    for name in PACKAGES:
        try:
            lines.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            lines.append(f"{name}: not installed")
    return tuple(lines)


def _space() -> tuple[str, ...]:
    lines = []
    if hasattr(os, "sysconf"):
        page = os.sysconf("SC_PAGE_SIZE")
        whole, free = (os.sysconf(f"SC_{name}_PAGES") * page for name in ("PHYS", "AVPHYS"))
        lines.append(f"memory: {_size(free)} of {_size(whole)} are free")
    places = {"home": Path.home(), "temporary files": Path(tempfile.gettempdir())}
    for name, place in places.items():
        usage = shutil.disk_usage(place)
        lines.append(f"disk of {name}: {_size(usage.free)} of {_size(usage.total)} are free")
    return tuple(lines)


def _size(count: float) -> str:
    return f"{count / 2**30:.1f} GiB"


def _in_child(title: str, module: str) -> Section:
    """Run a module, which writes lines to standard output; report its crash as a line."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", module],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_PATIENCE,
            env=environment,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        log.logger.error("The check %s failed", module, exc_info=error)
        return Section(title, (f"FAILED: {type(error).__name__}",), good=False)
    lines = tuple(done.stdout.splitlines())
    if done.returncode == 0:
        return Section(title, lines)
    log.logger.error("The check %s ended with %d\n%s", module, done.returncode, done.stderr)
    last = (done.stderr.strip().splitlines() or [""])[-1]
    how = f"FAILED with exit code {done.returncode}: {last}".rstrip(": ")
    return Section(title, (*lines, how), good=False)
