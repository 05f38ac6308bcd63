"""The accepted slices of a session as training samples."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from napari_unet_seg.data.scan_samples import samples_from_scan, volume_sample

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_unet_seg.config import NormaliseConfig
    from napari_unet_seg.data.samples import Sample
    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.session.held_out import Split
    from napari_unet_seg.session.stored.masks import MaskStore


def slice_samples(
    scan: Scan, masks: MaskStore, splits: Mapping[int, Split], normalise: NormaliseConfig
) -> tuple[Sample, ...]:
    """Return a sample for each slice that has a split."""
    samples = samples_from_scan(scan, masks, tuple(splits), normalise)  # type: ignore[arg-type]
    return tuple(replace(s, split=split) for split, s in zip(splits.values(), samples, strict=True))


def volume_samples(
    scan: Scan, masks: MaskStore, splits: Mapping[int, Split], normalise: NormaliseConfig
) -> tuple[Sample, ...]:
    """Return a volume for each split, in which all other slices count as unreviewed."""
    samples = []
    for split in sorted(set(splits.values())):
        chosen = [index for index, own in splits.items() if own == split]
        sample = volume_sample(scan, masks, chosen, normalise)  # type: ignore[arg-type]
        samples.append(replace(sample, name=f"{sample.name} ({split})", split=split))
    return tuple(samples)
