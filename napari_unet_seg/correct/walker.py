"""A random walker with priors on a grid of pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

_SMOOTHING = 1.0
"""Pixels of blur before edges are looked for."""
_SHARPNESS = 1.0
"""How much an edge of average strength separates: by a factor of e here."""
_LEAST_TIE = 0.01
"""What ties neighbours across the strongest edge, as a share of those without an edge."""
_PRIOR = 0.3
"""What ties a pixel to its own prior, in ties to a neighbour."""
_HELD = 1000.0
"""The same for a pixel that is settled."""


def walk(grey: Array, odds: Array, held: Array, foreground: Array) -> Array:
    """Decide for each pixel whether it is foreground (Grady 2005, with priors).

    The probability x is the least of Σ w (x_i - x_j)² over neighbours + Σ p (x_i - prior_i)².

    Parameters
    ----------
    grey : array
        Grey values (Y, X) whose steps loosen the ties w between neighbours.
    odds : array
        Log odds of the prior, (Y, X).
    held : array
        Bool, (Y, X): pixels that are settled.
    foreground : array
        Bool, (Y, X): what the settled pixels are; where the solution starts for the others.

    Returns
    -------
    array
        Bool, (Y, X).
    """
    from scipy.sparse import diags
    from scipy.sparse.linalg import cg
    from scipy.special import expit

    prior = np.where(held, foreground, expit(odds)).ravel()
    trust = np.where(held, _HELD, _PRIOR).ravel()
    ties = _ties(grey)
    diagonal = np.asarray(ties.sum(1)).ravel() + trust
    scale = diags(1 / diagonal)
    system = (diags(diagonal) - ties).tocsr()
    start = np.where(held, foreground, 0.5).ravel()
    found, _ = cg(system, trust * prior, x0=start, rtol=1e-3, maxiter=300, M=scale)
    decided = found.reshape(grey.shape) >= 0.5
    return np.where(held, foreground, decided)


def _ties(grey: Array) -> Any:
    """Weights between the four neighbours, as a symmetric sparse matrix of pixels by pixels."""
    from scipy.ndimage import gaussian_filter
    from scipy.sparse import diags

    smooth = gaussian_filter(grey.astype(np.float64), _SMOOTHING)
    steps = [np.diff(smooth, axis=axis) ** 2 for axis in (0, 1)]
    average = sum(s.sum() for s in steps) / max(sum(s.size for s in steps), 1)
    sharpness = _SHARPNESS / max(average, np.finfo(np.float64).tiny)
    down, right = (np.exp(-sharpness * s) + _LEAST_TIE for s in steps)
    across = np.pad(right, ((0, 0), (0, 1))).ravel()[:-1]
    half = diags(across, 1, (grey.size,) * 2) + diags(down.ravel(), grey.shape[1], (grey.size,) * 2)
    return half + half.T
