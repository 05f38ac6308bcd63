"""Checkpoints: safetensors with everything that a prediction needs in the header."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import safetensors.torch
import torch
from safetensors import SafetensorError

from napari_unet_seg.errors import CheckpointError
from napari_unet_seg.io.common.files import atomic
from napari_unet_seg.models.header import HEADER_KEY, CheckpointInfo, read_header
from napari_unet_seg.nn.build import build_net

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
    """Write a checkpoint, whole or not at all.

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
        Store floating weights so; as they are by default.
    """
    tensors = {_NET + key: _stored(value, dtype) for key, value in net.state_dict().items()}
    tensors |= {key: _stored(value, None) for key, value in (extra or {}).items()}
    with atomic(path) as temporary:
        # not save_file: it hides the file from everyone but its owner
        header = json.dumps(info.content())
        temporary.write_bytes(safetensors.torch.save(tensors, {HEADER_KEY: header}))


def _stored(tensor: torch.Tensor, dtype: torch.dtype | None) -> torch.Tensor:
    """A contiguous copy on the processor: safetensors knows no strides."""
    kept = dtype if dtype is not None and tensor.is_floating_point() else tensor.dtype
    return tensor.detach().to("cpu", kept, copy=True, memory_format=torch.contiguous_format)


def load_tensors(path: Path) -> tuple[CheckpointInfo, dict[str, torch.Tensor]]:
    """Read a checkpoint's header and all its tensors.

    Raises
    ------
    CheckpointError
        If it is not a checkpoint of this package or is damaged.
    """
    info = read_header(path)
    try:
        return info, safetensors.torch.load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"The model {path} is damaged ({error}); copy it again.") from error


def load_net(path: Path) -> tuple[CheckpointInfo, Net]:
    """Build the net that a checkpoint describes and load its weights, as float32.

    Raises
    ------
    CheckpointError
        If the file is no checkpoint, or its weights do not fit its own description.
    """
    info, tensors = load_tensors(path)
    net = build_net(info.model)
    load_weights(net, tensors, path)
    return info, net


def load_weights(net: Net, tensors: Mapping[str, torch.Tensor], path: Path) -> None:
    """Load the net's part of a checkpoint's tensors.

    Raises
    ------
    CheckpointError
        If they do not fit.
    """
    state = {k.removeprefix(_NET): v for k, v in tensors.items() if k.startswith(_NET)}
    try:
        net.load_state_dict(state)
    except RuntimeError as error:  # what torch raises where names or shapes differ
        raise CheckpointError(
            f"The weights in {path} do not fit the net of the settings; use the settings that "
            "were saved with the model, or another model."
        ) from error
