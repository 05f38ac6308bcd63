"""Layers of a case: its sequences as images, its masks as labels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg._napari.layers.conversion import categories_for, grid_of, labels_options
from napari_unet_seg._napari.layers.geometry import placement_of
from napari_unet_seg._napari.layers.images.channels import image_layers
from napari_unet_seg._napari.layers.layer_record import LayerRecord
from napari_unet_seg.io.cases.read import read_mask_among, read_sequence

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari_unet_seg.io.cases.case import Case
    from napari_unet_seg.io.common.scan import Scan

    LayerData = tuple[Any, dict[str, Any], str]


def case_layers(case: Case) -> list[LayerData]:
    """Return the layers of a case; the first sequence is on top of the others, below the masks.

    Of several sequences, and of several masks, the first is shown.

    Raises
    ------
    DataError
        If a file cannot be read, or a mask is not on the grid of a sequence.
    """
    scans = {name: read_sequence(source) for name, source in case.sequences.items()}
    images = [
        image_layers(scan, _title(case, name), _record(case, name)) for name, scan in scans.items()
    ]
    for _, options, _ in (layer for others in images[1:] for layer in others):
        options["visible"] = False
    layers = [layer for of_sequence in reversed(images) for layer in of_sequence]
    masks = [_mask_layer(case, name, scans) for name in case.masks]
    for _, options, _ in masks[1:]:
        options["visible"] = False  # a brain mask, for example, would hide the lesion
    return [*layers, *reversed(masks)]


def _record(case: Case, sequence: str) -> LayerRecord:
    channel = case.sequences[sequence].channel
    return LayerRecord(case=case.name, sequence=sequence, channel=channel)


def other_layers(case: Case, scan: Scan) -> Generator[LayerData, Any, None]:
    """Yield the layers of a case beside its first sequence: masks, and hidden other sequences.

    Files of which the first sequence is a part are left out.

    Parameters
    ----------
    case : Case
        The case.
    scan : Scan
        Its first sequence.

    Raises
    ------
    DataError
        If a file cannot be read, or a mask is not on the grid of the scan.
    """
    first, *others = case.sequences.items()
    # The mask that is shown comes last: it lies on top, and what follows the selection chooses it.
    for name in reversed(case.masks):
        data, options, kind = _mask_layer(case, name, {first[0]: scan})
        yield data, options | {"visible": name == next(iter(case.masks))}, kind
    for name, source in others:
        if source.files != first[1].files or source.series is not None:
            scan, title = read_sequence(source), _title(case, name)
            for data, options, kind in image_layers(scan, title, _record(case, name)):
                yield data, options | {"visible": False}, kind


def first_sequence(case: Case) -> tuple[str, str]:
    """Return the name of the layer of a case's first sequence, and the name of the sequence.

    A file that holds several sequences as channels is named after the case, and is no sequence.
    """
    name, source = next(iter(case.sequences.items()))
    return (_title(case, name), name) if source.channel is None else (case.name, "")


def _title(case: Case, sequence: str) -> str:
    return case.name if len(case.sequences) == 1 else f"{case.name} {sequence}"


def _mask_layer(case: Case, name: str, scans: dict[str, Scan]) -> LayerData:
    """Return a mask of a case, on the one of the given sequences that it was drawn on."""
    number, mask = read_mask_among(case.masks[name], scans.values())
    sequence, scan = list(scans.items())[number]
    labels = np.asarray(mask.data)
    record = replace(
        _record(case, sequence), scan=grid_of(scan), from_file=True, read_from=case.masks[name]
    )
    options = labels_options(categories_for(labels, record), f"{case.name} {name}", record)
    return labels, options | placement_of(scan), "labels"
