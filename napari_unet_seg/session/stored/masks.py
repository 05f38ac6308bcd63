"""The masks of a session: the prediction in one file, each corrected slice in another.

A slice that is predicted while the session is open gets a later prediction, in
`predictions/NNNNN.tif`, with which its mask is compared.
"""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from napari_unet_seg.errors import ChangedError, DataError
from napari_unet_seg.io.common.places import index_at, place_at
from napari_unet_seg.io.disk.files import reading, within, write_error
from napari_unet_seg.io.disk.seen import saw
from napari_unet_seg.io.images.tiff import read_tiff, write_labels
from napari_unet_seg.session.stored.labelling import Labelling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.common.scan import Scan


class MaskStore:
    """The files `predictions/*.tif` and `masks/NNNNN.tif` of a session.

    Slices are counted along the flattened leading axes. A store can be indexed like an array by
    the place of a slice, and then reads the stored slice.

    Parameters
    ----------
    folder : Path
        Folder of the session.
    scan : Scan
        The scan, on whose grid the masks are.
    labelling : callable, optional
        Returns the categories that the labels stand for now.
    """

    def __init__(
        self, folder: Path, scan: Scan, labelling: Callable[[], Labelling] = Labelling
    ) -> None:
        self._labelling = labelling
        self._root = folder
        self.prediction_path = folder / "predictions" / "prediction.tif"
        self.folder = folder / "masks"
        self.shape = scan.grid_shape
        self.spacing, self.unit = scan.spacing, scan.unit
        self.digests: dict[int, bytes] = {}
        """Hash of each stored slice that was read or written so far."""
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return int(np.prod(self.shape[:-2]))

    def __getitem__(self, place: tuple[int, ...]) -> Array:
        return self.read(index_at(place, self.shape[:-2]))

    def place(self, index: int) -> tuple[int, ...]:
        """Return the place of a slice along the leading axes."""
        return place_at(index, self.shape[:-2])

    def path(self, index: int) -> Path:
        """Return the file of a corrected slice."""
        return self.folder / f"{index:05d}.tif"

    def write_prediction(self, labels: Array, description: dict[str, Any]) -> None:
        """Make the folders, and store the first prediction with one page for each slice."""
        for folder in (self.prediction_path.parent, self.folder):
            try:
                within(self._root, folder).mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise write_error(folder, error) from error
        write_labels(
            within(self._root, self.prediction_path),
            self._flat(labels),
            axes="ZYX" if self.shape[:-2] else "YX",
            spacing=self.spacing[-3:],
            unit=self.unit,
            description=description,
        )

    def mark_as_stored(self, labels: Array) -> None:
        """Record labels as the stored ones, so that the first save does not read the files."""
        flat = self._flat(labels)
        with self._lock:
            for index in range(len(self)):
                self.digests[index] = _digest(self._view(flat, index))

    def see_files(self) -> None:
        """Record the present state of the files of slices, so that no later one is written over."""
        for index in range(len(self)):
            saw(self.path(index))

    def prediction(self) -> Array:
        """Read the whole original prediction."""
        return self._read(self.prediction_path, self.shape)

    def replace_prediction(self, index: int, labels: Array) -> None:
        """Store a later prediction of a slice; the original prediction is kept."""
        write_labels(
            within(self._root, self._later_path(index)),
            labels,
            axes="YX",
            spacing=self.spacing[-2:],
            unit=self.unit,
            description={"slice": index, **self._labelling().description()},
        )

    def read_prediction(self, index: int) -> Array:
        """Read the later prediction of a slice, else the original prediction."""
        later = self._later_path(index)
        if later.is_file():
            return self._read(later, self.shape[-2:])
        return self._read_original(index)

    def predicted_later(self) -> list[int]:
        """Return the slices that have a later prediction."""
        files = self.prediction_path.parent.glob("*.tif")
        return sorted(int(file.stem) for file in files if file.stem.isdigit())

    def is_predicted_later(self, index: int) -> bool:
        """Whether a slice has a later prediction."""
        return self._later_path(index).is_file()

    def _later_path(self, index: int) -> Path:
        return self.prediction_path.with_name(f"{index:05d}.tif")

    def _read_original(self, index: int) -> Array:
        with reading(self.prediction_path, "a TIFF"):
            plane = np.asarray(tifffile.imread(self.prediction_path, key=index))
        plane = self._checked(plane, self.shape[-2:], self.prediction_path)
        return self._labelling().convert(plane, {})

    def read(self, index: int) -> Array:
        """Read the corrected slice, else the original prediction."""
        path = self.path(index)
        if not path.is_file():
            return self._read_original(index)
        return self._read(path, self.shape[-2:])

    def is_as_predicted(self, index: int) -> bool:
        """Whether the stored slice equals its prediction."""
        return np.array_equal(self.read(index), self.read_prediction(index))

    def _read(self, path: Path, shape: tuple[int, ...]) -> Array:
        """Read a file of labels as present labels."""
        found = read_tiff(path)
        labels = self._checked(np.asarray(found.data), shape, path)
        return self._labelling().convert(labels, found.meta.get("description") or {})

    def _checked(self, labels: Array, shape: tuple[int, ...], path: Path) -> Array:
        if labels.size != np.prod(shape) or labels.dtype.kind not in "bui":
            raise DataError(
                f"{path} is no mask of this session ({labels.dtype} of shape {labels.shape}); "
                "restore the original file."
            )
        return labels.reshape(shape)

    def load(self) -> Array:
        """Read the whole mask of the last save."""
        self.see_files()
        mask = self._flat(self.prediction())
        with self._lock:
            for index in range(len(self)):
                if self.path(index).is_file():
                    plane = self.read(index)
                    mask = mask.astype(np.promote_types(mask.dtype, plane.dtype), copy=False)
                    self._view(mask, index)[...] = plane
            self.mark_as_stored(mask)
        return mask.reshape(self.shape)

    def save(
        self, labels: Any, slices: Iterable[int] | None, description: dict[str, Any]
    ) -> Iterator[int]:
        """Write the slices that differ from the stored ones; yield each index after its write.

        See `Session.save_mask`.
        """
        wanted = range(len(self)) if slices is None else slices
        changed: ChangedError | None = None
        with self._lock:
            for index in wanted:
                try:
                    is_written = self._save_slice(index, labels, description)
                except ChangedError as error:
                    changed = changed or error
                else:
                    if is_written:
                        yield index
        if changed is not None:
            raise changed

    def take_from_disk(self, path: Path) -> int:
        """Accept the file of a slice as another program has left it; return the slice."""
        index = int(path.stem)
        with self._lock:
            saw(path)
            self.digests[index] = _digest(self.read(index))
        return index

    def _save_slice(self, index: int, labels: Any, description: dict[str, Any]) -> bool:
        plane = np.array(labels[self.place(index)])
        digest = _digest(plane)
        if index not in self.digests:
            saw(self.path(index))
            self.digests[index] = _digest(self.read(index))
        if self.digests[index] == digest:
            return False
        write_labels(
            within(self._root, self.path(index)),
            plane,
            axes="YX",
            spacing=self.spacing[-2:],
            unit=self.unit,
            description={**description, "slice": index, **self._labelling().description()},
            keep=True,
        )
        self.digests[index] = digest
        return True

    def _flat(self, labels: Array) -> Array:
        """Return a view of labels with a single leading axis; a 2-D mask is not changed."""
        return labels.reshape(-1, *self.shape[-2:]) if self.shape[:-2] else labels

    def _view(self, flat: Array, index: int) -> Array:
        view: Array = flat[index] if self.shape[:-2] else flat
        return view


def _digest(plane: Array) -> bytes:
    """Return a hash of the labels of a slice, which does not depend on the dtype."""
    if plane.dtype != np.uint8:
        narrow = not plane.size or (plane.min() >= 0 and plane.max() <= 255)
        plane = plane.astype(np.uint8 if narrow else "<i8")
    return hashlib.blake2b(np.ascontiguousarray(plane).data, digest_size=16).digest()
