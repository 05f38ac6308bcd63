"""The accepted slices of a session as training samples."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from napari_unet_seg.config import NormaliseConfig
from napari_unet_seg.data.samples import SampleSet
from napari_unet_seg.data.scan_samples import samples_from_scan, volume_sample
from napari_unet_seg.errors import DataError
from napari_unet_seg.session.channels import scan_of_sequences
from napari_unet_seg.session.stored.lock import InUseError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.data.samples import Sample
    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.models.header import CheckpointInfo
    from napari_unet_seg.session.held_out import Split
    from napari_unet_seg.session.session import Session
    from napari_unet_seg.session.stored.masks import MaskStore

_DEFAULT = NormaliseConfig()


def training_samples(
    session: Session,
    dimensions: int = 2,
    sequences: Sequence[str] = (),
    normalise: NormaliseConfig = _DEFAULT,
) -> SampleSet:
    """Return the stored accepted slices of a session as samples to validate on and to train on.

    Parameters
    ----------
    session : Session
        The session.
    dimensions : int
        3 for a network of volumes: two samples, in which the slices of the other split and
        slices that are not accepted count as unreviewed.
    sequences : sequence of str
        Names of the sequences that are the channels, if the network takes several.
    normalise : NormaliseConfig
        Intensity window of the network.

    Raises
    ------
    DataError
        If no slice is accepted yet, or the case has none of the sequences.
    """
    if not session.accepted:
        raise DataError(
            f"No slice of the session {session.folder.name} is accepted yet; accept some."
        )
    with suppress(InUseError):
        # The process that holds the session keeps its record; the run has its own splits.
        session.store_splits()
    splits = {i: split for i, split in session.splits.items() if session.states[i].is_accepted}
    make = _volume_samples if dimensions == 3 else _slice_samples
    scan = scan_of_sequences(session, sequences)
    names = tuple(sequences) if len(sequences) > 1 else (session.record.scan.sequence,)
    normalise = normalise.replace(per_channel=normalise.per_channel or len(names) > 1)
    samples = make(scan, session.masks, dict(sorted(splits.items())), normalise)
    return SampleSet(
        samples,
        session.categories,
        f"session {session.folder.name}",
        confirmed=True,
        notes=tuple(scan.meta.get("notes", ())) if len(names) > 1 else (),
        sequences=tuple(filter(None, names)),
    )


def accepted_samples(session: Session, labels: Array, info: CheckpointInfo) -> SampleSet:
    """Return the accepted slices of a session as samples without a split.

    Parameters
    ----------
    session : Session
        The session.
    labels : array
        Its present mask.
    info : CheckpointInfo
        Sequences and normalisation of the network.

    Raises
    ------
    DataError
        If the case has none of the network's sequences.
    """
    several = info.normalise.per_channel or len(info.sequences) > 1
    scan = scan_of_sequences(session, info.sequences)
    normalise = info.normalise.replace(per_channel=several)
    samples = samples_from_scan(scan, labels, sorted(session.accepted), normalise)
    return SampleSet(samples, session.categories, f"session {session.folder.name}")


def _slice_samples(
    scan: Scan, masks: MaskStore, splits: Mapping[int, Split], normalise: NormaliseConfig
) -> tuple[Sample, ...]:
    """Return a sample for each slice that has a split."""
    samples = samples_from_scan(scan, masks, tuple(splits), normalise)  # type: ignore[arg-type]
    return tuple(replace(s, split=split) for split, s in zip(splits.values(), samples, strict=True))


def _volume_samples(
    scan: Scan, masks: MaskStore, splits: Mapping[int, Split], normalise: NormaliseConfig
) -> tuple[Sample, ...]:
    """Return a volume for each split, in which all other slices count as unreviewed."""
    samples = []
    for split in sorted(set(splits.values())):
        chosen = [index for index, own in splits.items() if own == split]
        sample = volume_sample(scan, masks, chosen, normalise)  # type: ignore[arg-type]
        samples.append(replace(sample, name=f"{sample.name} ({split})", split=split))
    return tuple(samples)
