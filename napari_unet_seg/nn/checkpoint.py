"""Checkpoints: safetensors whose header holds everything that a prediction needs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import safetensors.torch
import torch
from safetensors import SafetensorError

from napari_unet_seg.errors import CheckpointError
from napari_unet_seg.io.disk.files import atomic
from napari_unet_seg.models.header import HEADER_KEY, CheckpointInfo, read_header
from napari_unet_seg.nn.build import build_net
from napari_unet_seg.nn.finite import check_finite

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from napari_unet_seg.nn.build import Net

_NET = "net."


def save_checkpoint(
    path: Path,
    net: Net,
    info: CheckpointInfo,
    extra: Mapping[str, torch.Tensor] | None = None,
    dtype: torch.dtype | None = None,
) -> None:
    """Write a checkpoint, atomically.

    Parameters
    ----------
    path : Path
        The file to write.
    net : UNet or VNet
        The weights.
    info : CheckpointInfo
        The header.
    extra : mapping of str to Tensor, optional
        Further tensors, the optimiser's state for example.
    dtype : torch.dtype, optional
        Data type for floating-point weights; by default they keep theirs.

    Raises
    ------
    WriteError
        If the file cannot be written.
    """
    tensors = {_NET + key: _stored(value, dtype) for key, value in net.state_dict().items()}
    tensors |= {key: _stored(value, None) for key, value in (extra or {}).items()}
    with atomic(path) as temporary:
        # Not save_file, which makes the file readable by its owner only.
        header = json.dumps(info.content())
        temporary.write_bytes(safetensors.torch.save(tensors, {HEADER_KEY: header}))


def _stored(tensor: torch.Tensor, dtype: torch.dtype | None) -> torch.Tensor:
    """Return a contiguous copy on the CPU, since safetensors stores no strides."""
    kept = dtype if dtype is not None and tensor.is_floating_point() else tensor.dtype
    return tensor.detach().to("cpu", kept, copy=True, memory_format=torch.contiguous_format)


def load_tensors(path: Path) -> tuple[CheckpointInfo, dict[str, torch.Tensor]]:
    """Read a checkpoint's header and all its tensors.

    Raises
    ------
    CheckpointError
        If the file is not a checkpoint of this package, is damaged, holds a number that is not
        finite, or weights that do not fit its header.
    """
    info = read_header(path)
    try:
        tensors = safetensors.torch.load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"The model {path} is damaged ({error}); copy it again.") from error
    check_finite(tensors, path)
    _check_fit(info, tensors, path)
    return info, tensors


def _check_fit(info: CheckpointInfo, tensors: Mapping[str, torch.Tensor], path: Path) -> None:
    """Compare the tensors with those of the net that the header describes, which is not built.

    A header may describe a net that is much larger than the file.
    """
    with torch.device("meta"):
        expected = {_NET + k: v.shape for k, v in build_net(info.model).state_dict().items()}
    if expected != {k: v.shape for k, v in tensors.items() if k.startswith(_NET)}:
        raise CheckpointError(
            f"The weights in {path} do not fit the net that its header describes; copy the file "
            "again, or choose another model."
        )


def load_net(path: Path) -> tuple[CheckpointInfo, Net]:
    """Build the net that a checkpoint describes and load its weights, as float32.

    Raises
    ------
    CheckpointError
        As `load_tensors`.
    """
    info, tensors = load_tensors(path)
    net = build_net(info.model)
    load_weights(net, tensors, path)
    return info, net


def with_prompts(net: Net, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Extend a checkpoint's tensors for a net with prompt channels; their weights start at 0."""
    widened = dict(tensors)
    for name, own in net.state_dict().items():
        given = tensors.get(_NET + name)
        if given is not None and given.ndim == own.ndim > 1 and given.shape[1] < own.shape[1]:
            more = given.new_zeros(len(given), own.shape[1] - given.shape[1], *given.shape[2:])
            widened[_NET + name] = torch.cat([given, more], 1)
    return widened


def load_weights(net: Net, tensors: Mapping[str, torch.Tensor], path: Path) -> None:
    """Load the net's part of a checkpoint's tensors.

    Raises
    ------
    CheckpointError
        If the weights do not fit the net.
    """
    state = {k.removeprefix(_NET): v for k, v in tensors.items() if k.startswith(_NET)}
    try:
        net.load_state_dict(state)
    except RuntimeError as error:  # what torch raises where names or shapes differ
        raise CheckpointError(
            f"The weights in {path} do not fit the net of the settings; use the settings that "
            "were saved with the model, or another model."
        ) from error
