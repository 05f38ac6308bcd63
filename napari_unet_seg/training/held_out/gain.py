"""Whether a model has gained on held-out samples beyond chance.

The Dice of each sample and class before and after is a pair, and the mean gain of the pairs is
compared with its one-sided bound of 95 % (paired t test; Student 1908, "The probable error of a
mean", Biometrika 6, 1-25). Of several epochs on a few samples one is often better by chance alone;
the bound holds for each epoch by itself.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FEWEST = 5
"""Pairs without which chance cannot be told, and patients without which none are averaged."""
_CERTAINTY = 0.95

Dices = dict[tuple[int, int], float]
"""Dice by sample and label value."""


def gains_of(
    before: Mapping[tuple[int, int], float],
    after: Mapping[tuple[int, int], float],
    patients: Sequence[str],
) -> list[float]:
    """Return the gains in Dice that are independent of each other, as far as can be told.

    Parameters
    ----------
    before, after : mapping
        Dice of each sample and class; none where neither truth nor prediction has the class. A
        pair of which only one has a Dice counts as 1, nothing found where nothing is, for the
        other.
    patients : sequence of str
        The patient, or scan, of each sample.

    Returns
    -------
    list of float
        The mean gain of each patient if there are `FEWEST` patients or more, else the gain of each
        sample and class.
    """
    gains = {key: after.get(key, 1.0) - before.get(key, 1.0) for key in sorted({*before, *after})}
    if len(set(patients)) < FEWEST:
        return list(gains.values())
    by_patient: dict[str, list[float]] = defaultdict(list)
    for (sample, _), gain in gains.items():
        by_patient[patients[sample]].append(gain)
    return [float(np.mean(own)) for own in by_patient.values()]


def is_certain(gains: Sequence[float]) -> bool:
    """Whether the mean of `FEWEST` gains or more is above zero beyond chance.

    Without any spread, a positive mean is certain.
    """
    error = np.std(gains, ddof=1) / np.sqrt(len(gains))
    return bool(np.mean(gains) > stdtrit(len(gains) - 1, _CERTAINTY) * error)
