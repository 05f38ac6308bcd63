"""A random walker with priors on a grid of pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

_SMOOTHING = 1.0
"""Standard deviation in pixels of the Gaussian blur before edges are computed."""
_SHARPNESS = 1.0
"""Exponent by which an edge of average strength lowers the weight between two pixels."""
_LEAST_WEIGHT = 0.01
"""Weight between two pixels across the strongest edge; 1 without an edge."""
_PRIOR = 0.3
"""Weight of a pixel's prior."""
_HELD = 1000.0
"""Weight of the value of a held pixel."""


def walk(grey: Array, odds: Array, held: Array, foreground: Array) -> Array:
    """Segment pixels into foreground and background by a random walker with priors (Grady 2005).

    The probabilities x minimise Σ w (x_i - x_j)² over neighbours + Σ p (x_i - prior_i)².

    Parameters
    ----------
    grey : array
        Grey values (Y, X), whose edges lower the weights w between neighbours.
    odds : array
        Log odds of the prior, (Y, X).
    held : array
        Bool (Y, X): pixels whose value is fixed.
    foreground : array
        Bool (Y, X): the value of the held pixels.

    Returns
    -------
    array
        Bool (Y, X): whether a pixel is foreground.
    """
    from scipy.sparse import diags
    from scipy.sparse.linalg import cg
    from scipy.special import expit

    prior = np.where(held, foreground, expit(odds)).ravel()
    trust = np.where(held, _HELD, _PRIOR).ravel()
    weights = _edge_weights(grey)
    diagonal = np.asarray(weights.sum(1)).ravel() + trust
    scale = diags(1 / diagonal)
    system = (diags(diagonal) - weights).tocsr()
    start = np.where(held, foreground, 0.5).ravel()
    found, _ = cg(system, trust * prior, x0=start, rtol=1e-3, maxiter=300, M=scale)
    decided = found.reshape(grey.shape) >= 0.5
    return np.where(held, foreground, decided)


def _edge_weights(grey: Array) -> Any:
    """Weights between the four neighbours, as a symmetric sparse matrix of pixels by pixels."""
    from scipy.ndimage import gaussian_filter
    from scipy.sparse import diags

    smooth = gaussian_filter(grey.astype(np.float64), _SMOOTHING)
    steps = [np.diff(smooth, axis=axis) ** 2 for axis in (0, 1)]
    average = sum(s.sum() for s in steps) / max(sum(s.size for s in steps), 1)
    sharpness = _SHARPNESS / max(average, np.finfo(np.float64).tiny)
    down, right = (np.exp(-sharpness * s) + _LEAST_WEIGHT for s in steps)
    across = np.pad(right, ((0, 0), (0, 1))).ravel()[:-1]
    half = diags(across, 1, (grey.size,) * 2) + diags(down.ravel(), grey.shape[1], (grey.size,) * 2)
    return half + half.T
