"""The COCO file that masks came from and go back into: one document for all of them."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from napari_unet_seg.io.coco.categories import with_categories
from napari_unet_seg.io.coco.document.parse import parse_file
from napari_unet_seg.io.coco.edit import apply_edits, changes_of
from napari_unet_seg.io.coco.merge.keys import keyed
from napari_unet_seg.io.coco.merge.version import Version
from napari_unet_seg.io.coco.read import CocoDataset, read_coco
from napari_unet_seg.io.coco.write import save_coco
from napari_unet_seg.io.disk.files import atomic, within
from napari_unet_seg.io.disk.seen import has_changed, last_seen, saw, stamp_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from napari_unet_seg.config import Category, Id
    from napari_unet_seg.io.coco.edit import Edit
    from napari_unet_seg.io.coco.merge.keys import Keep


class CocoSource:
    """A COCO file that is parsed once for all masks that came from it.

    Parameters
    ----------
    path : Path
        The JSON.
    dataset : CocoDataset, optional
        The file as it was when the masks were drawn from it, shared and never changed; read when
        first asked for if not given.
    copy : Path, optional
        A copy of the file as it was then, which is read instead if it exists.
    """

    def __init__(
        self, path: Path, dataset: CocoDataset | None = None, *, copy: Path | None = None
    ) -> None:
        self.path = path
        self._copies = [copy] if copy is not None and copy.is_file() else []
        self._is_of_copy = dataset is None and bool(self._copies)
        self._dataset = dataset
        self._versions: dict[str, Version] = {}
        self._categories: Sequence[Category] = ()
        self._colours: Mapping[str, str] = {}
        if dataset is not None and dataset.seen is not None:
            saw(path, dataset.seen)

    def dataset(self) -> CocoDataset:
        """Return the data set that the masks were drawn from; it is read once.

        Raises
        ------
        DataError
            If the file has to be read and cannot be read.
        """
        if self._dataset is None:
            found = read_coco(self._copies[0] if self._is_of_copy else self.path)
            self._dataset = replace(found, path=self.path)
        return self._dataset

    def save(
        self,
        edits: Mapping[Id, Edit],
        path: Path,
        *,
        keep: Keep | None = None,
        categories: Sequence[Category] = (),
        colours: Mapping[str, str] | None = None,
    ) -> int:
        """Write the file with edits, to the same or another path.

        What another program has changed in the file since it was read or written here is kept:
        annotations that were added, changed or deleted, images, and everything else. So are
        the edits of images of an earlier call for the same file that are not given again.

        Parameters
        ----------
        edits : mapping of int to Edit
            From `find_edits` and `find_instance_edits` of `dataset`, of all masks together.
        path : Path
            The file to write.
        keep : str, optional
            Which version stays of an annotation that was changed both here and by another program:
            "mine" or "theirs".
        categories : sequence of Category
            Categories of the masks; those that the file does not have are added.
        colours : mapping of str to str, optional
            Colours of categories to write, `#rrggbb` by name.

        Returns
        -------
        int
            Number of annotations that another program has added, changed or deleted.

        Raises
        ------
        ConflictError
            If an annotation was changed both here and by another program, and `keep` is not given.
        ChangedError
            If `path` is another file that was seen before and changed since.
        DataError
            If a file cannot be read or written.
        """
        dataset = self.dataset()
        version, taken = self._version(path)
        version.edits |= edits
        document = version.merge(*changes_of(dataset, version.edits.values()), keep)
        self._categories, self._colours = categories, colours or {}
        document = with_categories(document, self._categories, self._colours)
        save_coco(document, path, style=dataset.style)
        version.wrote(document, last_seen(path))
        self._versions[os.path.realpath(path)] = version
        if os.path.realpath(path) == os.path.realpath(self.path):
            for copy in self._copies:
                self._write_copy(copy)
        return taken

    def keep_copy(self, copy: Path) -> None:
        """Write a copy of the file as the masks show it, now and at each save to the file.

        A later `CocoSource` of this copy finds out what has changed in the meantime. The copy does
        not hold what other programs have changed, since the masks do not show that.
        """
        self._write_copy(copy)
        self._copies.append(copy)

    def _write_copy(self, copy: Path) -> None:
        dataset, version = self.dataset(), self._versions.get(os.path.realpath(self.path))
        edits = version.edits.values() if version else ()
        target = within(copy.parent, copy)
        if not edits and dataset.seen is not None and stamp_of(self.path) == dataset.seen.stamp:
            with atomic(target) as temporary:
                shutil.copyfile(self.path, temporary)
        else:
            document = apply_edits(dataset, edits)
            document = with_categories(document, self._categories, self._colours)
            save_coco(document, target, keep=False, style=dataset.style)

    def _version(self, path: Path) -> tuple[Version, int]:
        """Return the version of a file to write, with what is on disk by now."""
        name = os.path.realpath(path)
        version = self._versions.get(name)
        if version is None and name != os.path.realpath(self.path):
            source, taken = self._version(self.path)
            return source.elsewhere(path), taken
        if version is None:
            document = self.dataset().document
            # A copy tells nothing of the state of the file itself.
            seen = None if self._is_of_copy else self.dataset().seen
            version = Version(path, document, document, keyed(document["annotations"]), seen)
        return version, _take_from_disk(version)


def _take_from_disk(version: Version) -> int:
    """Read the file of a version if it has changed; return how many annotations have changed."""
    path = version.path
    taken = 0
    if path.is_file() and (version.seen is None or has_changed(path, version.seen)):
        file = parse_file(path)
        taken = version.take(file.check("dataset"), file.seen)
    if version.seen is not None:
        # Everything that is in the file by now is in the version too.
        saw(path, version.seen)
    return taken
