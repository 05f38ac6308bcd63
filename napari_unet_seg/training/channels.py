"""The channels of a network: the sequences of the samples that it is trained on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.stacking import listed

if TYPE_CHECKING:
    from napari_unet_seg.config import TrainConfig
    from napari_unet_seg.data.samples import SampleSet
    from napari_unet_seg.models.header import CheckpointInfo


def with_channels(config: TrainConfig, samples: SampleSet) -> TrainConfig:
    """Return the configuration of a network with a channel, and a window, for each sequence."""
    if len(samples.sequences) < 2:
        return config
    return config.replace(
        model=config.model.replace(in_channels=len(samples.sequences)),
        normalise=config.normalise.replace(per_channel=True),
    )


def named_by(samples: SampleSet, config: TrainConfig, info: CheckpointInfo | None) -> SampleSet:
    """Return samples with the names of the network's channels, or with none.

    Samples without names, of a session for example, are taken for the sequences of the checkpoint.

    Parameters
    ----------
    samples : SampleSet
        What is trained on.
    config : TrainConfig
        Number of channels of the network.
    info : CheckpointInfo, optional
        The checkpoint that the training starts from.

    Raises
    ------
    DataError
        If the samples have other sequences than a checkpoint, and one of both has several.
    """
    own, channels = samples.sequences, config.model.in_channels
    known = info.sequences if info else ()
    if info and own and own != known and max(channels, len(own)) > 1:
        wanted = listed(known) if known else f"{channels} channels without names"
        raise DataError(
            f"{samples.source} has {listed(own)} and the model takes {wanted}; choose the model's "
            "sequences, or another model."
        )
    names = own or known
    # The colours of a single sequence have no names.
    return replace(samples, sequences=names if len(names) == channels else ())
