"""The figures of a campaign with the machine that they were measured on."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from benchmarks.common.records import write_record

KIND = "reliability"
_PROCESSOR = Path("/proc/cpuinfo")


def machine() -> str:
    """Name the kind of machine: cores, and whether its processor has AMX."""
    text = _PROCESSOR.read_text() if _PROCESSOR.is_file() else ""
    amx = "with" if "amx_bf16" in text else "without"
    return f"{os.cpu_count()} cores of {platform.machine()} {amx} AMX"


def keep_figures(name: str, figures: dict[str, Any], *, keep: bool) -> None:
    """Show the figures of a campaign, and keep them."""
    write_record(KIND, name, {"machine": machine(), **figures}, keep=keep)
