"""The mean of the weights of two networks of one kind.

A model soup (Wortsman et al. 2022, arXiv:2203.05482): of two networks of one chain of trainings the
mean is often as good as the better one in what each is good at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet_seg.nn.checkpoint import load_net

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.models.header import CheckpointInfo
    from napari_unet_seg.nn.build import Net


def averaged(
    checkpoint: Path, other: Path | None, share: float = 0.5
) -> tuple[CheckpointInfo, Net]:
    """Load a net, with the mean of its weights and another one's of the same kind.

    Parameters
    ----------
    checkpoint : Path
        The net whose header is taken.
    other : Path, optional
        The other one.
    share : float
        Of the other one in the mean, 0…1.
    """
    info, net = load_net(checkpoint)
    if other is not None:
        theirs = load_net(other)[1].state_dict()
        # in place; the numbers of batches seen are the only whole ones
        for name, value in net.state_dict().items():
            if value.is_floating_point():
                value.lerp_(theirs[name], share)
    return info, net
