"""The slices of a run, decoded once into memory as uint8."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.data.batches import labels_in, largest_shares
from napari_unet_seg.data.cases.arrays import CaseImage, CaseMask
from napari_unet_seg.data.samples import read_each
from napari_unet_seg.errors import DataError
from napari_unet_seg.events import ItemDone
from napari_unet_seg.io.common.channels import are_colours, for_model
from napari_unet_seg.io.common.grids.turned import turned_onto
from napari_unet_seg.io.common.window import scan_window, to_grey, to_uint8
from napari_unet_seg.io.masks.report import MaskReport, report_of

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import NormaliseConfig
    from napari_unet_seg.data.samples import Sample
    from napari_unet_seg.io.common.scan import Scan


_REPORT_EVERY = 32


@dataclass(frozen=True, slots=True, eq=False)
class SliceCache:
    """Slices of one split, in memory."""

    images: Array
    """uint8 of shape (N, C, S, S), of all splits."""
    masks: Array
    """uint8 labels of shape (N, S, S), of all splits."""
    members: Array
    """Indices of the slices of this split."""
    report: MaskReport = field(default_factory=MaskReport)
    """What a person should know of the masks."""

    def __len__(self) -> int:
        return len(self.members)

    def part(self, chosen: Array) -> SliceCache:
        """Return the slices of a split, chosen by booleans of shape (N,), without a copy."""
        return SliceCache(self.images, self.masks, self.members[chosen])

    @property
    def labels(self) -> set[int]:
        """The label values that occur in the masks."""
        return labels_in(self.shares)

    @property
    def shares(self) -> Array:
        """The largest share of a slice that each label value fills; see `largest_shares`."""
        return largest_shares(self.masks[place] for place in self.members)

    def owner(self, index: int) -> int:
        """Return the index of the item's sample: each slice is a sample."""
        return index

    def take(
        self, indices: Array, _: torch.Generator | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return floats in 0…1 of shape (B, C, S, S) and uint8 masks of shape (B, S, S)."""
        members = self.members[indices]
        images = torch.from_numpy(self.images[members]).float() / 255
        return images, torch.from_numpy(self.masks[members])


def build_cache(
    samples: Sequence[Sample],
    size: int,
    channels: int,
    classes: int,
    normalise: NormaliseConfig,
) -> Generator[ItemDone, Any, SliceCache]:
    """Read and normalise every sample, and resize it to a square, with black borders if oblong.

    Parameters
    ----------
    samples : sequence of Sample
        Slices with masks, as files or arrays.
    size : int
        Height and width of the result in pixels.
    channels : int
        1 converts colour images to grey; else the number of channels of the images.
    classes : int
        Highest label value allowed.
    normalise : NormaliseConfig
        Intensity window, for samples without a window.

    Yields
    ------
    ItemDone
        After every 32 samples.

    Raises
    ------
    DataError
        If a file cannot be read, a mask does not fit its image, or a label is unknown.
    """
    images = np.empty((len(samples), channels, size, size), np.uint8)
    masks = np.empty((len(samples), size, size), np.uint8)
    report = MaskReport()

    def read(sample: Sample) -> tuple[Array, Array, MaskReport]:
        image, mask, reported = read_and_report(sample, channels, normalise)
        if mask.ndim != 2:
            raise DataError(
                f"{sample.name} is a volume and the model takes slices; set model.dimensions to "
                "3, or give slices."
            )
        check_labels(sample, mask, classes)
        return image, mask, reported

    for index, (image, mask, reported) in enumerate(read_each(samples, read)):
        report += reported
        for channel in range(channels):
            plane = image[..., channel]
            images[index, channel] = resize(plane, size, Image.Resampling.BILINEAR, around=0)
        masks[index] = resize(mask, size, Image.Resampling.NEAREST, around=IGNORE_INDEX)
        if (index + 1) % _REPORT_EVERY == 0:
            yield ItemDone(index + 1, len(samples), samples[index].name)
    return SliceCache(images, masks, np.arange(len(samples)), report)


def check_labels(sample: Sample, mask: Array, classes: int) -> None:
    """Check that the labels of a mask do not exceed the number of categories.

    Raises
    ------
    DataError
        If a label is higher.
    """
    highest = int(mask.max(where=mask != IGNORE_INDEX, initial=0))
    if highest > classes:
        raise DataError(
            f"The mask of {sample.name} holds the label {highest}, but there are only "
            f"{classes} categories; add the category or correct the mask."
        )


def read_sample(sample: Sample, channels: int, normalise: NormaliseConfig) -> tuple[Array, Array]:
    """Return the image and the labels of `read_and_report`."""
    return read_and_report(sample, channels, normalise)[:2]


def read_and_report(
    sample: Sample, channels: int, normalise: NormaliseConfig
) -> tuple[Array, Array, MaskReport]:
    """Read and normalise one sample.

    Parameters
    ----------
    sample : Sample
        A slice or a volume.
    channels : int
        1 converts colour images to grey; else the number of channels of the image.
    normalise : NormaliseConfig
        Intensity window, for a sample without a window.

    Returns
    -------
    array, array, MaskReport
        uint8 image of shape (Y, X, channels) and uint8 labels of shape (Y, X); of a volume
        (Z, Y, X, channels) and (Z, Y, X). The report is empty for a mask that is an array.

    Raises
    ------
    DataError
        If a file cannot be read, or image and mask do not fit each other or the model.
    """
    image, scan = _read_image(sample.image, channels)
    stored = image.dtype
    mask, report = _read_mask(sample.mask, scan)
    if mask.shape != image.shape[: mask.ndim]:
        name = sample.mask if isinstance(sample.mask, Path) else f"The mask of {sample.name}"
        raise DataError(
            f"{name} has {mask.shape} pixels and its image {image.shape[: mask.ndim]}; "
            "give the mask that was made on this image."
        )
    if image.ndim == mask.ndim:
        image = image[..., None]
    if channels == 1 and image.shape[-1] > 1:
        colours = isinstance(sample.image, Path) or are_colours(stored, image.shape[-1])
        image = to_grey(image)[..., None] if colours else image[..., :1]
    if image.shape[-1] != channels:
        raise DataError(
            f"{sample.name} has {image.shape[-1]} channels and the model takes {channels}; "
            "set in_channels of the model to match."
        )
    window = sample.window
    if isinstance(sample.image, CaseImage):
        window = sample.image.window(normalise)
    window = window or scan_window(image, normalise, channels=True, dtype=stored)
    return to_uint8(image, window), mask, report


def channel_note(samples: Sequence[Sample], channels: int) -> list[str]:
    """Report the channel that a model of some channels uses of the first image, if it has several.

    The other images of a data set are like the first.
    """
    image = next((s.image for s in samples if isinstance(s.image, Path)), None)
    if image is None:
        return []
    from napari_unet_seg.io.read import read_scan

    _, note = for_model(read_scan(image), channels)
    return [f"{image.name}: {note}"] if note else []


def _read_image(source: Path | CaseImage | Array, channels: int) -> tuple[Array, Scan | None]:
    """Read the pixels of an image, with the scan if they are from a file."""
    if not isinstance(source, Path):
        return np.asarray(source), None
    from napari_unet_seg.io.read import read_scan

    scan, _ = for_model(read_scan(source), channels)
    return np.asarray(scan.data), scan


def _read_mask(
    source: Path | CaseMask | Array, scan: Scan | None = None
) -> tuple[Array, MaskReport]:
    """Read label values on a scan as uint8, with a report if they are from a file."""
    if isinstance(source, Path):
        from napari_unet_seg.io.read import read_labels

        stored = read_labels(source)
        if scan is not None:
            stored = turned_onto(stored, scan, (str(source), "its image"))
        mask = np.asarray(stored.data)
        report = report_of(mask, soft=stored.meta["soft"])
    elif isinstance(source, CaseMask):
        mask, report = source.read()
    else:
        mask, report = source, MaskReport()
    if mask.max(initial=0) > IGNORE_INDEX:
        raise DataError(
            f"The mask {source if isinstance(source, Path) else 'of the layer'} holds the label "
            f"{mask.max()}; masks for training hold one label per category, from 1."
        )
    return mask.astype(np.uint8), report


def resize(plane: Array, size: int, resampling: Image.Resampling, around: int) -> Array:
    """Resize a uint8 plane (Y, X) to a square, with an area filter when it shrinks.

    The longer side becomes `size`, as in prediction. The rest is filled with `around`, equally on
    both sides, so that rotated copies of a slice stay copies.
    """
    scale = size / max(plane.shape)
    top, left = (round((size - max(1, n * scale)) / 2) for n in plane.shape)
    height, width = size - 2 * top, size - 2 * left
    if plane.shape != (height, width):
        plane = np.asarray(Image.fromarray(plane).resize((width, height), resampling))
    if height == width:
        return plane
    square = np.full((size, size), around, np.uint8)
    square[top : top + height, left : left + width] = plane
    return square
