"""Weights read from files must be finite: NaN in one of them makes every mask empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from napari_unet_seg.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def check_finite(tensors: Mapping[str, torch.Tensor], path: Path) -> None:
    """Check that the weights of a file are finite as float32, the type they are used in.

    Raises
    ------
    CheckpointError
        If a tensor holds NaN or infinity.
    """
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor.float()).all():
            raise CheckpointError(
                f"The weights in {path} are unusable ({name} holds numbers that are not finite); "
                "copy the file again, or choose another model."
            )
