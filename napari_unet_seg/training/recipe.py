"""The recipe of fine-tuning: small steps on slices of a known kind, large ones on a new kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from napari_unet_seg.config import FINE_TUNE, IGNORE_INDEX, THOROUGH
from napari_unet_seg.data.prompts.simulation import clicked
from napari_unet_seg.inference.predicted_dice import slice_dice
from napari_unet_seg.io.common.counting import counted
from napari_unet_seg.nn.labels import to_labels, to_probabilities
from napari_unet_seg.nn.sizes import apply_net

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg.config import TrainConfig
    from napari_unet_seg.data.batches import SplitItems
    from napari_unet_seg.models.header import CheckpointInfo
    from napari_unet_seg.nn.build import Net

_TO_THOROUGH = "set recipe to thorough for large steps."
_FEWEST = 8
"""Slices with an object without which a new kind is not told from a few difficult slices."""
_LOW = 0.75
"""A Dice below this share of that on the model's own data is low."""
_USUAL = 0.8
"""Dice on its own data of a model that does not state it."""
_SEEN, _MOST_EPOCHS = 2900, 20
"""Samples that a thorough fine-tuning sees, four or five minutes of one core for slices of 192
pixels, and the largest number of epochs that they make."""
_TRIED = 96
"""Largest number of slices that are looked at."""


def recipe_for(
    config: TrainConfig, net: Net, info: CheckpointInfo, items: SplitItems, count: int
) -> tuple[TrainConfig, str]:
    """Complete the settings of a fine-tuning by its recipe, see `choose_recipe`.

    Parameters
    ----------
    config : TrainConfig
        The settings.
    net : UNet or VNet
        With the weights of the model to start from, on the CPU.
    info : CheckpointInfo
        Header of the model.
    items : SplitItems
        The training items.
    count : int
        Number of their samples, from the first, that are new.
    """
    if config.recipe != "auto":
        return choose_recipe(config, (), None, len(items))
    if not has_classes_of(net, info):
        note = (
            "The recipe is gentle (small steps), since the model does not know all categories; "
            + _TO_THOROUGH
        )
        return config.replace(recipe="gentle"), note
    return choose_recipe(config, slice_scores(net, items, count), info.own_dice, len(items))


def has_classes_of(net: Net, info: CheckpointInfo) -> bool:
    """Whether a net has the number of classes, the head and the prompts of a checkpoint."""
    wanted = info.model.classes, info.model.head, info.model.prompts
    return wanted == (net.config.classes, net.config.head, net.config.prompts)


def choose_recipe(
    config: TrainConfig, scores: Sequence[float], own: float | None, samples: int
) -> tuple[TrainConfig, str]:
    """Complete the settings of a fine-tuning by their recipe.

    Parameters
    ----------
    config : TrainConfig
        The settings, whose recipe may be `auto`.
    scores : sequence of float
        Dice of the model on each of some new slices with an object.
    own : float, optional
        Dice of the model on its own held-out data.
    samples : int
        Number of training samples.

    Returns
    -------
    config : TrainConfig
        With the recipe `gentle` or `thorough`. The settings of `THOROUGH` take the place of those
        that have the value of `FINE_TUNE`.
    note : str
        A sentence on the recipe and the reason for it; empty if the user has chosen the recipe.
    """
    if config.recipe == "gentle":
        return config, ""
    if config.recipe == "thorough":
        return _thorough(config, samples), ""
    if len(scores) < _FEWEST:
        shown = counted(len(scores), "slice")
        note = (
            f"The recipe is gentle (small steps), since {shown} cannot tell how new the data are; "
            + _TO_THOROUGH
        )
        return config.replace(recipe="gentle"), note
    usual = _USUAL if own is None else own
    dice = f"the model's Dice is {np.mean(scores):.2f} on {len(scores)} of the new slices"
    if _is_low(scores, usual):
        config = _thorough(config, samples)
        note = (
            f"The recipe is thorough ({counted(config.epochs, 'epoch')}, large steps, more "
            f"augmentation), since {dice}, too low for data of a known kind ({usual:.2f}); set "
            "recipe to gentle for small steps."
        )
        return config, note
    note = (
        f"The recipe is gentle (small steps), since {dice}, as on data of a known kind "
        f"({usual:.2f}); {_TO_THOROUGH}"
    )
    return config.replace(recipe="gentle"), note


def _is_low(scores: Sequence[float], usual: float) -> bool:
    """Whether the mean is low, with a standard error in favour of the model."""
    return float(np.mean(scores) + np.std(scores) / np.sqrt(len(scores))) < _LOW * usual


def _thorough(config: TrainConfig, samples: int) -> TrainConfig:
    epochs = max(THOROUGH["epochs"], min(_MOST_EPOCHS, _SEEN // max(samples, 1)))
    wanted = THOROUGH | {"epochs": epochs}
    left = {k: v for k, v in wanted.items() if getattr(config, k) == getattr(FINE_TUNE, k)}
    return config.replace(**left, recipe="thorough")


@torch.no_grad()
def slice_scores(net: Net, items: SplitItems, count: int) -> list[float]:
    """Return the Dice of a net on those of some slices that show an object.

    A network of prompts gets a click on each.

    Parameters
    ----------
    net : UNet or VNet
        On the CPU.
    items : SplitItems
        Slices, or patches of volumes.
    count : int
        Number of samples, from the first, whose items may be taken.
    """
    net.eval()
    own = [index for index in range(len(items)) if items.owner(index) < count]
    tried = np.unique(np.linspace(0, len(own) - 1, min(len(own), _TRIED)).astype(int))
    scores: list[float] = []
    for number, place in enumerate(tried):
        images, masks = items.take(np.array([own[place]]), torch.Generator())
        if not ((masks > 0) & (masks != IGNORE_INDEX)).any():
            continue
        if net.config.prompts:
            images, masks = clicked(images, masks, [number])
        logits = apply_net(net, net.config, images)
        labels = to_labels(to_probabilities(logits, net.config.head), net.config.head)
        truth = masks.numpy()
        seen = ((truth > 0) & (truth != IGNORE_INDEX)).any((-1, -2))
        scores += slice_dice(labels.numpy(), truth)[seen].tolist()
    return scores
