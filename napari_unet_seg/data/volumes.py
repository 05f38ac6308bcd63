"""Volumes of a run in memory, and patches of them for training and validation."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.data.batches import is_label, labels_in, largest_shares
from napari_unet_seg.data.cache import check_labels, read_and_report
from napari_unet_seg.data.samples import read_each
from napari_unet_seg.errors import DataError
from napari_unet_seg.events import ItemDone
from napari_unet_seg.inference.tiling import tile_starts
from napari_unet_seg.io.masks.report import MaskReport

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import TrainConfig
    from napari_unet_seg.data.samples import Sample

Size = tuple[int, int, int]

_ON_LABEL = 0.5
"""Share of the patches that are drawn around a labelled voxel (Isensee et al. 2021: a third)."""


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """A volume, uint8 of shape (C, Z, Y, X), and its labels, uint8 of shape (Z, Y, X)."""

    image: Array
    mask: Array
    report: MaskReport = field(default_factory=MaskReport)
    """What a person should know of the mask."""


def read_volumes(
    samples: Sequence[Sample], config: TrainConfig, classes: int
) -> Generator[ItemDone, Any, list[Volume]]:
    """Read and normalise every sample, at its own size.

    Parameters
    ----------
    samples : sequence of Sample
        Volumes with masks.
    config : TrainConfig
        Number of channels, and the intensity window of samples without a window.
    classes : int
        Highest label value allowed.

    Yields
    ------
    ItemDone
        After each sample.

    Raises
    ------
    DataError
        If a file cannot be read, is not a volume, or its mask does not fit the image.
    """

    def read(sample: Sample) -> Volume:
        image, mask, report = read_and_report(sample, config.model.in_channels, config.normalise)
        if mask.ndim != 3:
            raise DataError(
                f"{sample.name} is a slice and the model takes volumes; set model.dimensions to 2, "
                "or give volumes."
            )
        check_labels(sample, mask, classes)
        channels_first = np.ascontiguousarray(np.moveaxis(image, -1, 0))
        return Volume(channels_first, mask, report)

    volumes: list[Volume] = []
    for volume in read_each(samples, read):
        volumes.append(volume)
        yield ItemDone(len(volumes), len(samples), samples[len(volumes) - 1].name)
    return volumes


class _Patches:
    def __init__(self, volumes: Sequence[Volume], size: Size) -> None:
        self._volumes = volumes
        self._size = size

    @property
    def labels(self) -> set[int]:
        """The label values that occur in the masks."""
        return labels_in(self.shares)

    @property
    def shares(self) -> Array:
        """The largest share of a slice that each label value fills; see `largest_shares`."""
        return largest_shares(plane for volume in self._volumes for plane in volume.mask)


class RandomPatches(_Patches):
    """Patches at random positions, for training.

    In an epoch every volume is drawn as many times as patches fit into it. A volume smaller than a
    patch is padded with black voxels that are marked as unreviewed.

    Parameters
    ----------
    volumes : sequence of Volume
        Of the training split.
    size : tuple of int
        Size of a patch in voxels along Z, Y and X.
    """

    def __init__(self, volumes: Sequence[Volume], size: Size) -> None:
        super().__init__(volumes, size)
        self._labelled = [np.argwhere(is_label(v.mask)) for v in volumes]
        counts = [max(1, round(v.mask.size / np.prod(size))) for v in volumes]
        self._volume = np.repeat(np.arange(len(volumes)), np.array(counts, int))

    def __len__(self) -> int:
        return len(self._volume)

    def owner(self, index: int) -> int:
        """Return the index of the volume that an item belongs to."""
        return int(self._volume[index])

    def take(self, indices: Array, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Return floats in 0…1 of shape (B, C, *size) and uint8 masks of shape (B, *size)."""
        return _batch([self._draw(self.owner(i), generator) for i in indices])

    def _draw(self, number: int, generator: torch.Generator) -> tuple[Array, Array]:
        volume, labelled = self._volumes[number], self._labelled[number]
        chance, *uniform = torch.rand(4, generator=generator).tolist()
        room = np.maximum(np.array(volume.mask.shape) - self._size, 0)
        start = np.floor(np.array(uniform) * (room + 1)).astype(int)
        if len(labelled) and chance < _ON_LABEL:
            middle = labelled[int(uniform[0] * len(labelled))]
            within = np.floor(np.array(uniform[::-1]) * self._size).astype(int)
            start = np.clip(middle - within, 0, room)
        return patch_at(volume, start, self._size)


class GridPatches(_Patches):
    """Patches on a grid that count every voxel once, for validation.

    Parameters
    ----------
    volumes : sequence of Volume
        Of the validation split.
    size : tuple of int
        Size of a patch in voxels along Z, Y and X.
    """

    def __init__(self, volumes: Sequence[Volume], size: Size) -> None:
        super().__init__(volumes, size)
        self._places = [
            (number, starts)
            for number, volume in enumerate(volumes)
            for starts in itertools.product(
                *(tile_starts(n, s, 0) for n, s in zip(volume.mask.shape, size, strict=True))
            )
        ]

    def __len__(self) -> int:
        return len(self._places)

    def owner(self, index: int) -> int:
        """Return the index of the volume that an item belongs to."""
        return self._places[index][0]

    def take(self, indices: Array, _: torch.Generator | None = None) -> Any:
        """Return floats in 0…1 of shape (B, C, *size) and uint8 masks of shape (B, *size).

        Voxels that a previous patch of the volume covers too are marked as unreviewed.
        """
        return _batch([self._extract(*self._places[i]) for i in indices])

    def _extract(self, number: int, start: Size) -> tuple[Array, Array]:
        image, mask = patch_at(self._volumes[number], np.array(start), self._size)
        shape = self._volumes[number].mask.shape
        for axis, (at, size, length) in enumerate(zip(start, self._size, shape, strict=True)):
            before = [s for s in tile_starts(length, size, 0) if s < at]
            if before:
                seen = [slice(None)] * 3
                seen[axis] = slice(0, before[-1] + size - at)
                mask[tuple(seen)] = IGNORE_INDEX
        return image, mask


def patch_at(volume: Volume, start: Array, size: Size) -> tuple[Array, Array]:
    """Copy a patch of a volume; voxels outside the volume are black and unreviewed.

    Parameters
    ----------
    volume : Volume
        The volume.
    start : array
        First voxel of the patch along Z, Y and X.
    size : tuple of int
        Size of the patch.

    Returns
    -------
    array, array
        Image of shape (C, *size) and labels of shape (*size), both uint8.
    """
    inside = tuple(slice(a, a + n) for a, n in zip(start, size, strict=True))
    image, mask = volume.image[(slice(None), *inside)], volume.mask[inside]
    missing = [(0, n - have) for n, have in zip(size, mask.shape, strict=True)]
    padded = np.pad(image, [(0, 0), *missing])
    return padded, np.pad(mask, missing, constant_values=IGNORE_INDEX)


def _batch(patches: list[tuple[Array, Array]]) -> tuple[torch.Tensor, torch.Tensor]:
    images, masks = (np.stack(arrays) for arrays in zip(*patches, strict=True))
    return torch.from_numpy(images).float() / 255, torch.from_numpy(masks)
