"""Layers of a case: its sequences as images, its masks as labels."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_unet_seg._napari.layers.colours import adopt_colours
from napari_unet_seg._napari.layers.conversion import categories_for, grid_of, labels_options
from napari_unet_seg._napari.layers.geometry import placement_of
from napari_unet_seg._napari.layers.images.channels import image_layers
from napari_unet_seg._napari.layers.layer_record import LayerRecord
from napari_unet_seg.io.cases.categories import categories_of_mask
from napari_unet_seg.io.cases.read import read_mask_among, read_sequence
from napari_unet_seg.io.masks.palette import stored_palette

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.cases.case import Case
    from napari_unet_seg.io.common.scan import Scan

    LayerData = tuple[Any, dict[str, Any], str]


class _Scans(dict[str, "Scan"]):
    """The sequences of a case by name, read when they are first needed."""

    def __init__(self, case: Case, read: Mapping[str, Scan] | None = None) -> None:
        super().__init__(read or {})
        self._case = case

    def __missing__(self, name: str) -> Scan:
        self[name] = scan = read_sequence(self._case.sequences[name])
        return scan


class _ReadMask(NamedTuple):
    """A mask of a case, and the sequence on whose voxels it is."""

    name: str
    labels: Scan
    sequence: str
    scan: Scan


def case_layers(case: Case) -> list[LayerData]:
    """Return the layers of a case; the first sequence is on top of the others, below the masks.

    Of several sequences, and of several masks, the first is shown.

    Raises
    ------
    DataError
        If a file cannot be read, or a mask is not on the grid of a sequence.
    """
    scans = _Scans(case)
    images = [
        _image_layers(case, name, scans[name], at == 0) for at, name in enumerate(case.sequences)
    ]
    layers = [layer for of_sequence in reversed(images) for layer in of_sequence]
    # A second mask, of the brain for example, would hide the lesion.
    masks = [
        _mask_layers(case, _read_mask(case, name, scans), at == 0)
        for at, name in enumerate(case.masks)
    ]
    return [*layers, *(layer for of_mask in reversed(masks) for layer in of_mask)]


def _record(case: Case, sequence: str) -> LayerRecord:
    channel = case.sequences[sequence].channel
    return LayerRecord(case=case.name, sequence=sequence, channel=channel)


class LaterLayers(NamedTuple):
    """What was read for some layers."""

    make: Callable[[], list[LayerData]]
    """Returns the layers, in the main thread: a mask brings colours, which all layers share."""
    shown: Array | None = None
    """The labels, if they are those of the mask that is shown."""


def other_layers(case: Case, scan: Scan) -> Generator[LaterLayers, Any, None]:
    """Read the masks of a case, and the sequences beside its first one, which are hidden.

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
        If a file cannot be read, or a mask is not on the grid of a sequence.
    """
    first, *others = case.sequences.items()
    scans = _Scans(case, {first[0]: scan})
    # The mask that is shown comes last: it lies on top, and what follows the selection chooses it.
    for at, name in reversed(list(enumerate(case.masks))):
        mask = _read_mask(case, name, scans)
        shown = np.asarray(mask.labels.data) if at == 0 else None
        yield LaterLayers(partial(_mask_layers, case, mask, at == 0), shown)
    for name, source in others:
        if source.files != first[1].files or source.series is not None:
            yield LaterLayers(partial(_image_layers, case, name, scans[name], False))


def first_sequence(case: Case) -> tuple[str, str]:
    """Return the name of the layer of a case's first sequence, and the name of the sequence.

    A file that holds several sequences as channels is named after the case, and is no sequence.
    """
    name, source = next(iter(case.sequences.items()))
    return (_title(case, name), name) if source.channel is None else (case.name, "")


def _title(case: Case, sequence: str) -> str:
    return case.name if len(case.sequences) == 1 else f"{case.name} {sequence}"


def _image_layers(case: Case, name: str, scan: Scan, visible: bool) -> list[LayerData]:
    layers = image_layers(scan, _title(case, name), _record(case, name))
    return layers if visible else [(d, o | {"visible": False}, kind) for d, o, kind in layers]


def _read_mask(case: Case, name: str, scans: _Scans) -> _ReadMask:
    number, labels = read_mask_among(case.masks[name], (scans[each] for each in case.sequences))
    sequence = list(case.sequences)[number]
    return _ReadMask(name, labels, sequence, scans[sequence])


def _mask_layers(case: Case, mask: _ReadMask, visible: bool) -> list[LayerData]:
    labels, described = np.asarray(mask.labels.data), mask.labels.meta.get("description")
    palette = stored_palette(described)
    adopt_colours(palette)
    record = replace(
        _record(case, mask.sequence),
        scan=grid_of(mask.scan),
        from_file=True,
        read_from=case.masks[mask.name],
        order=tuple(palette),
        categories=categories_of_mask(case.masks[mask.name], described),
    )
    title = f"{case.name} {mask.name}"
    options = labels_options(categories_for(labels, record), title, record)
    return [(labels, options | placement_of(mask.scan) | {"visible": visible}, "labels")]
