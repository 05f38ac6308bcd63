"""Which device and precision to compute with."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, TypeVar, cast

import torch
from torch import nn

from napari_unet_seg.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from napari_unet_seg.config import Device, Precision


PRECISION_VARIABLE = "NAPARI_UNET_SEG_PRECISION"
"""The environment variable that names what `auto` is; a GPU predicts in float16 all the same."""
_ROUNDS = 5
_WORTH_IT = 0.8
"""Of float32's time: what is hardly faster is not worth half the digits, and might be noise."""

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}

Movable = TypeVar("Movable", bound=nn.Module | torch.Tensor)


def choose_device(wanted: Device) -> torch.device:
    """Return the wanted device; `auto` takes CUDA, then MPS, then the processor.

    Raises
    ------
    EngineError
        If the wanted device is not there.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        return torch.device(next((name for name, yes in there.items() if yes), "cpu"))
    if not there.get(wanted, True):
        raise EngineError(f"There is no {wanted} device here; set the device to auto or cpu.")
    return torch.device(wanted)


def channels_last(moved: Movable, device: torch.device) -> Movable:
    """Move a net or images to a device, laid out so that the channels come last."""
    volumes = moved.ndim == 5 if isinstance(moved, torch.Tensor) else _has_volumes(moved)
    layout = torch.channels_last_3d if volumes else torch.channels_last
    # torch's own types leave out memory_format
    there = moved.to(device, memory_format=layout)  # type: ignore[call-overload]
    return cast("Movable", there)


def _has_volumes(net: nn.Module) -> bool:
    return any(isinstance(module, nn.Conv3d) for module in net.modules())


def device_name(device: torch.device) -> str:
    """Name of the device for people."""
    if device.type == "cuda":
        return f"GPU ({torch.cuda.get_device_name(device)})"
    return {"cpu": f"CPU ({torch.get_num_threads()} threads)", "mps": "GPU (Apple)"}[device.type]


def choose_dtype(
    precision: Precision, device: torch.device, run: Callable[[torch.dtype], None]
) -> torch.dtype:
    """Return the wanted precision; `auto` takes bfloat16 where it measures a fifth less time.

    Processors without native bfloat16 emulate it, several times slower than float32; those are not
    asked. Of the others no flag tells how fast they are, so both are timed.

    Parameters
    ----------
    precision : str
        `auto`, `float32` or `bfloat16`; instead of `auto` the environment may name another.
    device : torch.device
        On a GPU `auto` asks the driver.
    run : callable
        Computes something typical in the precision it is given.

    Raises
    ------
    EngineError
        If the environment names a precision that does not exist.
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
    """Return the precision that the environment sets in place of `auto`, else `auto`.

    The nodes of a cluster may differ in what they find the faster; named there, one precision
    holds for all.
    """
    named = os.environ.get(PRECISION_VARIABLE, "auto")
    if named not in ("auto", *_DTYPES):
        raise EngineError(
            f"{PRECISION_VARIABLE} is {named!r}; set it to float32 or bfloat16, or leave it out."
        )
    return cast("Precision", named)


def _has_bfloat16() -> bool:
    """Whether the processor says so; yes where an older torch cannot tell."""
    told: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return not told or any("bf16" in name and there for name, there in told.items())


def _is_worth_it(run: Callable[[torch.dtype], None]) -> bool:
    """Whether bfloat16 is clearly faster; in turns, for the machine may have other work."""
    times: dict[torch.dtype, list[float]] = {torch.float32: [], torch.bfloat16: []}
    for _ in range(_ROUNDS):
        for dtype, each in times.items():
            start = time.perf_counter()
            run(dtype)
            each.append(time.perf_counter() - start)
    # The least also leaves out the first call, which prepares the kernels.
    return min(times[torch.bfloat16]) < _WORTH_IT * min(times[torch.float32])


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on a GPU or on the processor."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and "allocate memory" in str(error)
