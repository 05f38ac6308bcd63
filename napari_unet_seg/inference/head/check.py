"""Whether a head beats its network: each part of the slices is predicted by a fit of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from napari_unet_seg.inference.head.fitting import fit_head, network_head

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg.inference.head.fitting import Example

FOLDS = 5


class Compared(NamedTuple):
    """Dice of the network and of heads on slices that the heads were not fitted to."""

    network: float
    """NaN, as the other, where no slice shows a class."""
    head: float

    @property
    def is_better(self) -> bool:
        """Whether the head is to be used."""
        return self.head > self.network


def compare(examples: Sequence[Example], groups: Sequence[str]) -> Compared:
    """Compare heads with the network on held-out slices.

    Parameters
    ----------
    examples : sequence of Example
        Slices in their order; neighbours of a volume are similar and are held out together.
    groups : sequence of str
        The patient of each slice; of five patients or more each is held out as a whole.
    """
    before, count = network_head(examples), len(examples[0].truth)
    totals = np.zeros((2, 2, count))
    for held in filter(None, _folds(groups)):
        head = fit_head([each for i, each in enumerate(examples) if i not in held])
        for features, truth, known in (examples[i] for i in held):
            for number, tried in enumerate((before, head)):
                found = (tried.logits(features) > 0) & known
                true = truth & known
                totals[number, 0] += 2 * (found & true).sum((1, 2)).numpy()
                totals[number, 1] += (found.sum((1, 2)) + true.sum((1, 2))).numpy()
    shown = torch.stack([(e.truth & e.known).flatten(1).any(1) for e in examples]).any(0).numpy()
    if not shown.any():
        return Compared(np.nan, np.nan)
    network, head = (totals[:, 0] / np.maximum(totals[:, 1], 1))[:, shown].mean(1)
    return Compared(float(network), float(head))


def _folds(groups: Sequence[str]) -> list[set[int]]:
    """Return the slices that are held out together."""
    patients = list(dict.fromkeys(groups))
    if len(patients) >= FOLDS:
        parts = np.array_split(np.arange(len(patients)), FOLDS)
        names = [{patients[i] for i in part} for part in parts]
        return [{i for i, group in enumerate(groups) if group in own} for own in names]
    return [set(map(int, part)) for part in np.array_split(np.arange(len(groups)), FOLDS)]
