"""What a model takes of the open layers: an image, or several sequences of a case as channels."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from napari.layers import Image

from napari_unet_seg._napari.layers.conversion import is_user_layer, scan_from_layer
from napari_unet_seg._napari.layers.images.case import case_of, sequence_of
from napari_unet_seg.io.common.named_channels import by_name, find_names, none_of
from napari_unet_seg.io.common.stacking import missing_note, stack

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from napari.layers import Layer

    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.models.header import CheckpointInfo

Channels = dict[str, Image | None]
"""The image of each channel by the name of the sequence; None for one that is missing."""


@dataclass(frozen=True, slots=True, eq=False)
class ModelInput:
    """The scans that a model segments together, without their pixels being read."""

    image: Scan
    """The scan on whose grid the mask is."""
    channels: Mapping[str, Scan | None] = field(default_factory=dict)
    """The sequences by name; empty for a model that takes the image alone."""
    bears_missing: bool = False
    """Whether the model was trained with sequences left out."""

    def read(self) -> tuple[Scan, tuple[str, ...]]:
        """Return the scan for the model, and sentences on its channels; not on the main thread.

        Sequences of another grid are resampled.

        Raises
        ------
        DataError
            If the sequences cannot be put on the grid of the image.
        """
        if not self.channels:
            return self.image, ()
        scan = stack(self.channels, self.image)
        missing = missing_note(scan, bears_missing=self.bears_missing)
        return scan, (*scan.meta["notes"], *filter(None, [missing]))


def channels_for(image: Image, layers: Iterable[Layer], names: Sequence[str]) -> Channels:
    """Return the images that show the sequences of a model, among those of the case of an image.

    Parameters
    ----------
    image : Image
        The image to segment.
    layers : iterable of Layer
        The layers of the viewer.
    names : sequence of str
        Names of the model's channels.
    """
    own = _by_sequence(image, layers)
    found = find_names(names, own)
    return {name: None if of is None else own[of] for name, of in found.items()}


def sequences_beside(image: Image, layers: Iterable[Layer]) -> tuple[str, ...]:
    """Return the names of the sequences that are open of the case of an image."""
    return tuple(filter(None, _by_sequence(image, layers)))


def _by_sequence(image: Image, layers: Iterable[Layer]) -> dict[str, Image]:
    """Return the images of a case by their sequences, the topmost first; of two, the upper one."""
    case = case_of(image)
    found: dict[str, Image] = {}
    for layer in reversed(tuple(layers)):
        if is_user_layer(layer, Image) and case_of(layer) == case:
            found.setdefault(sequence_of(layer), layer)
    return found | {sequence_of(image): image}


def model_input(image: Image, channels: Channels, info: CheckpointInfo) -> ModelInput:
    """Return what a model takes, from the image to segment and the images of its channels.

    Raises
    ------
    DataError
        If the model takes several sequences and none of them is given, or a layer has too many
        dimensions.
    """
    scan = scan_from_layer(image)
    if len(info.sequences) < 2:
        return ModelInput(scan)
    if not any(channels.values()):
        if "C" in scan.axes:  # the file may hold them
            return ModelInput(by_name(scan, info.sequences))
        raise none_of(image.name, info.sequences, [])
    given = {name: None if of is None else _quiet(of) for name, of in channels.items()}
    return ModelInput(_without_notes(scan), given, info.bears_missing)


def _quiet(image: Image) -> Scan:
    return _without_notes(scan_from_layer(image))


def _without_notes(scan: Scan) -> Scan:
    """Return a scan without the notes on its file, which were shown when it was opened."""
    return replace(scan, meta={key: value for key, value in scan.meta.items() if key != "notes"})
