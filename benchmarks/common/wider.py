"""A wider network that begins as the same function as a trained one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from napari_unet_seg.nn.build import build_net
from napari_unet_seg.nn.checkpoint import load_net, save_checkpoint

if TYPE_CHECKING:
    from pathlib import Path


@torch.no_grad()
def widened(source: Path, width: int, target: Path) -> Path:
    """Write a checkpoint's plain U-Net with more channels, after Chen et al. 2016 (Net2Net).

    The old channels come first and see nothing of the new ones, whose own weights are random: what
    reads them learns from the first step on.

    Raises
    ------
    ValueError
        If the net has residual blocks or transposed convolutions, or is not narrower.
    """
    info, net = load_net(source)
    if info.model.residual or info.model.upsampling != "bilinear" or info.model.width >= width:
        raise ValueError(f"{source} is no plain U-Net that is narrower than {width}")
    torch.manual_seed(0)
    model = info.model.replace(width=width)
    wide = build_net(model)
    given, state = net.state_dict(), wide.state_dict()
    for name, own in state.items():
        old = given[name]
        if own.shape == old.shape:
            own.copy_(old)
            continue
        if own.ndim == 1:
            own[: len(old)] = old
            continue
        own[: len(old)] = 0
        halves = 2 if _joins(name, own, old) else 1
        for mine, theirs in zip(own.chunk(halves, 1), old.chunk(halves, 1), strict=True):
            mine[: len(old), : theirs.shape[1]] = theirs
    wide.load_state_dict(state)
    target.parent.mkdir(parents=True, exist_ok=True)
    save_checkpoint(target, wide, info.replace(model=model))
    return target


def _joins(name: str, own: torch.Tensor, old: torch.Tensor) -> bool:
    """Whether a convolution sees the skip connection, then what comes from below."""
    return ".conv.0.weight" in name and own.shape[1] > old.shape[1]
