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
    """Write a checkpoint's U-Net with more channels, after Chen et al. 2016 (Net2Net).

    The old channels come first and see nothing of the new ones, whose own weights are random, so
    that they learn from the first step on.
    """
    info, net = load_net(source)
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
    """Whether a convolution sees what comes from below, then the skip connection."""
    return ".conv.0.weight" in name and own.shape[1] > old.shape[1]
