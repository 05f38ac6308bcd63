"""The COCO file that masks came from and go back into."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet_seg.io.coco.read import CocoDataset, read_coco
from napari_unet_seg.io.common.files import stamp_of

if TYPE_CHECKING:
    from pathlib import Path


class CocoSource:
    """A COCO file that is parsed once for all masks that came from it.

    Parameters
    ----------
    path : Path
        The JSON.
    dataset : CocoDataset, optional
        The file as it was read, shared and never changed; read when first asked for if not given.
    """

    def __init__(self, path: Path, dataset: CocoDataset | None = None) -> None:
        self.path = path
        self._dataset = dataset

    def dataset(self) -> CocoDataset:
        """Return the data set; the file is parsed again only if its stamp has changed.

        So the masks of images of two sizes can be saved into one file one after the other. If the
        file is missing, the data set is returned as it was read.

        Raises
        ------
        DataError
            If the file has to be read and cannot be read.
        """
        dataset = self._dataset
        if dataset is None or stamp_of(self.path) not in (dataset.stamp, None):
            self._dataset = dataset = read_coco(self.path)
        return dataset
