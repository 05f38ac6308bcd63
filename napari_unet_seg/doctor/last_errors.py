"""The last errors in the log, without what may name a patient: paths, file names and messages."""

from __future__ import annotations

import re
from pathlib import Path

from napari_unet_seg import log

_MOST = 10
_RECORD = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),\d+ \d+ [A-Z]+ [\w.]+: ")
_PLACE = re.compile(r'^  File "(.+)", line (\d+), in (.+)$')
_ERROR = re.compile(r"^([A-Za-z_][\w.]*)(:|$)")
_CRASH = "Fatal Python error: "


def last_errors() -> tuple[str, ...]:
    """Return one line for each of the last errors: time, class, and the places in the code."""
    path = log.path()
    files = [path.with_name(f"{path.name}.1"), path]
    texts = [file.read_text("utf-8", "replace") for file in files if file.is_file()]
    return tuple(_errors("".join(texts).splitlines())[-_MOST:])


def _errors(lines: list[str]) -> list[str]:
    """Return the errors in the lines of a log; of a chain of errors each is one."""
    found: list[str] = []
    time, inside = "", False
    places: list[str] = []
    for line in lines:
        if record := _RECORD.match(line):
            time, places, inside = record[1], [], False
        elif line.startswith("Traceback (most recent call last)"):
            places, inside = [], True
        elif line.startswith(_CRASH):
            places, inside = [], False
            found.append(f"{time} crash: {line.removeprefix(_CRASH)}".strip())
        elif place := _PLACE.match(line):
            places.append(f"{_module(place[1])}:{place[2]} {place[3]}")
        elif inside and (error := _ERROR.match(line)):
            found.append(f"{time} {error[1]} in {', '.join(reversed(places[-4:]))}")
            inside = False
    return found


def _module(path: str) -> str:
    """Return the last two parts of the path of a module of this package or of a library."""
    parts = Path(path).parts
    return "/".join(parts[-2:]) if log.PACKAGE in parts or "site-packages" in parts else "…"
