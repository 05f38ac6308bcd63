"""Which precision to compute in."""

from __future__ import annotations

import pytest
import torch

from napari_unet_seg.errors import EngineError
from napari_unet_seg.nn.devices import PRECISION_VARIABLE, choose_dtype, device_name


def never(dtype: torch.dtype) -> None:
    raise AssertionError(f"{dtype} was timed")


@pytest.mark.parametrize(
    ("asked", "named", "found"),
    [
        ("auto", "float32", torch.float32),
        ("auto", "bfloat16", torch.bfloat16),
        ("float32", "bfloat16", torch.float32),
    ],
)
def test_what_the_environment_names_is_not_timed(monkeypatch, asked, named, found):
    monkeypatch.setenv(PRECISION_VARIABLE, named)
    assert choose_dtype(asked, torch.device("cpu"), never) is found


def test_a_precision_that_does_not_exist_is_refused(monkeypatch):
    monkeypatch.setenv(PRECISION_VARIABLE, "float8")
    with pytest.raises(EngineError, match="NAPARI_UNET_SEG_PRECISION is 'float8'"):
        choose_dtype("auto", torch.device("cpu"), never)


def test_a_single_thread_is_no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert device_name(torch.device("cpu")) == "CPU (1 thread)"
