"""Choice of device and precision."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, TypeVar, cast

import torch
from torch import nn

from napari_unet_seg.errors import EngineError
from napari_unet_seg.io.common.counting import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from napari_unet_seg.config import Device, Precision


PRECISION_VARIABLE = "NAPARI_UNET_SEG_PRECISION"
"""Environment variable that sets the precision of `auto`; a GPU still predicts in float16."""
_ROUNDS = 5
_WORTH_IT = 0.8
"""Largest share of float32's time for bfloat16 to be chosen: a smaller gain may be noise, and is
not worth the loss of digits."""

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}

Movable = TypeVar("Movable", bound=nn.Module | torch.Tensor)


def choose_device(wanted: Device) -> torch.device:
    """Return a device; `auto` chooses CUDA, then MPS, then the CPU.

    Raises
    ------
    EngineError
        If the device does not exist on this machine.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        return torch.device(next((name for name, yes in there.items() if yes), "cpu"))
    if not there.get(wanted, True):
        raise EngineError(f"This machine has no {wanted} device; set the device to auto or cpu.")
    return torch.device(wanted)


def channels_last(moved: Movable, device: torch.device) -> Movable:
    """Move a net or images to a device, in the memory format `channels_last`."""
    volumes = moved.ndim == 5 if isinstance(moved, torch.Tensor) else _has_volumes(moved)
    layout = torch.channels_last_3d if volumes else torch.channels_last
    # torch's own types leave out memory_format
    there = moved.to(device, memory_format=layout)  # type: ignore[call-overload]
    return cast("Movable", there)


def _has_volumes(net: nn.Module) -> bool:
    return any(isinstance(module, nn.Conv3d) for module in net.modules())


def device_name(device: torch.device) -> str:
    """Return the name of a device for the user."""
    if device.type == "cuda":
        return f"GPU ({torch.cuda.get_device_name(device)})"
    threads = counted(torch.get_num_threads(), "thread")
    known = {"cpu": f"CPU ({threads})", "mps": "GPU (Apple)"}
    return known.get(device.type, device.type)


def choose_dtype(
    precision: Precision, device: torch.device, run: Callable[[torch.dtype], None]
) -> torch.dtype:
    """Return a precision; `auto` chooses bfloat16 if it takes at least a fifth less time.

    CPUs without native bfloat16 emulate it, several times slower than float32, and are not timed.
    On other CPUs both precisions are timed, since no flag of the CPU gives their speed.

    Parameters
    ----------
    precision : str
        `auto`, `float32` or `bfloat16`; an environment variable can set the precision of `auto`.
    device : torch.device
        On a GPU `auto` chooses bfloat16 if the driver supports it.
    run : callable
        Runs a typical computation in a precision, to be timed.

    Raises
    ------
    EngineError
        If the environment variable names a precision that does not exist.
    """
    if precision == "auto":
        precision = precision_of_environment()
    if precision != "auto":
        return _DTYPES[precision]
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    if device.type == "mps":
        return torch.float32
    if not _has_bfloat16():
        return torch.float32
    return torch.bfloat16 if _is_worth_it(run) else torch.float32


def precision_of_environment() -> Precision:
    """Return the precision of `auto` in the environment variable, else `auto`.

    The nodes of a cluster may measure different precisions as the fastest; the variable sets one
    precision for all.
    """
    named = os.environ.get(PRECISION_VARIABLE, "auto")
    if named not in ("auto", *_DTYPES):
        raise EngineError(
            f"{PRECISION_VARIABLE} is {named!r}; set it to float32 or bfloat16, or leave it out."
        )
    return cast("Precision", named)


def _has_bfloat16() -> bool:
    """Whether the CPU has native bfloat16; True if an older torch cannot find out."""
    capabilities: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return not capabilities or any("bf16" in name and there for name, there in capabilities.items())


def _is_worth_it(run: Callable[[torch.dtype], None]) -> bool:
    """Whether bfloat16 is clearly faster; timed alternately, since other programs may run."""
    times: dict[torch.dtype, list[float]] = {torch.float32: [], torch.bfloat16: []}
    for _ in range(_ROUNDS):
        for dtype, each in times.items():
            start = time.perf_counter()
            run(dtype)
            each.append(time.perf_counter() - start)
    # The minimum also excludes the first call, which prepares the kernels.
    return min(times[torch.bfloat16]) < _WORTH_IT * min(times[torch.float32])


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out, on a GPU or on the CPU."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and "allocate memory" in str(error)
