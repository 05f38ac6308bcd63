"""The accepted slices of a session as samples to train on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from napari_unet_seg.data.scan_samples import samples_from_scan, volume_sample

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_unet_seg.data.samples import Sample
    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.session.held_out import Side
    from napari_unet_seg.session.masks import MaskStore


def slices(scan: Scan, masks: MaskStore, sides: Mapping[int, Side]) -> tuple[Sample, ...]:
    """Return one sample for each slice that has a side."""
    samples = samples_from_scan(scan, masks, tuple(sides))  # type: ignore[arg-type]
    return tuple(replace(s, split=side) for side, s in zip(sides.values(), samples, strict=True))


def volumes(scan: Scan, masks: MaskStore, sides: Mapping[int, Side]) -> tuple[Sample, ...]:
    """Return one volume for each side, in which all other slices count as unreviewed."""
    samples = []
    for side in sorted(set(sides.values())):
        known = [index for index, own in sides.items() if own == side]
        sample = volume_sample(scan, masks, known)  # type: ignore[arg-type]
        samples.append(replace(sample, name=f"{sample.name} ({side})", split=side))
    return tuple(samples)
