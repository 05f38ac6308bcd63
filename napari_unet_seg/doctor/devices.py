"""Devices that can run the network, and what each can do.

Run as `python -m napari_unet_seg.doctor.devices`, since a driver may end the process.
"""

from __future__ import annotations

import os
import platform
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from napari_unet_seg.nn.devices import choose_device, device_name

if TYPE_CHECKING:
    from collections.abc import Mapping

_ABILITIES = ("avx2", "avx512_f", "avx512_bf16", "amx_tile", "amx_bf16", "amx_fp16", "bf16", "sve")


def devices() -> list[str]:
    """Return one line for each device, and the device that `auto` chooses."""
    lines = [_cpu()]
    for index in range(torch.cuda.device_count()):
        facts = torch.cuda.get_device_properties(index)
        bfloat16 = "bfloat16" if torch.cuda.is_bf16_supported() else "no bfloat16"
        lines.append(f"GPU {index}: {facts.name}, {facts.total_memory / 2**30:.0f} GiB, {bfloat16}")
    if torch.cuda.is_available():
        lines.append(f"CUDA {torch.version.cuda}")
    if torch.backends.mps.is_available():
        lines.append("GPU (Apple): float32")
    return [*lines, f"auto chooses: {device_name(choose_device('auto'))}"]


def _cpu() -> str:
    there: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    able = [name for name in there if there[name] is True and name in _ABILITIES]
    can = ", ".join(able) or "no vector instructions are told"
    return f"CPU: {_cpu_name()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads; {can}"


def _cpu_name() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    sys.stdout.write("\n".join(devices()) + "\n")
