"""A picture of eight samples as a training gets them, after augmentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.colormaps.standardize_color import transform_color
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget
from scipy import ndimage

from napari_unet_seg._napari.layers.colours import category_colour
from napari_unet_seg._napari.widgets.jobs import run
from napari_unet_seg._napari.widgets.messages import show_error
from napari_unet_seg._napari.widgets.scroll import bring_into_view
from napari_unet_seg.data.samples import SampleSet
from napari_unet_seg.errors import SegmentationError
from napari_unet_seg.events import AugmentationPreview
from napari_unet_seg.process.engine_process import EngineProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from qtpy.QtGui import QResizeEvent

    from napari_unet_seg._napari.widgets.jobs import Job
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Category, TrainConfig


_COLUMNS = 4
_GAP = 4
_ENGINE = "napari_unet_seg.training.augmentation_preview:preview_augmentation"
_BUTTON_TEXT = "Show eight augmented samples"


class AugmentedSamples(QWidget):
    """A button that shows eight augmented samples of a training.

    Parameters
    ----------
    get_inputs : callable
        Returns the source of the samples and the settings, or raises `SegmentationError`.
    """

    def __init__(self, get_inputs: Callable[[], tuple[Any, TrainConfig]]) -> None:
        super().__init__()
        self._get_inputs = get_inputs
        self._categories: Sequence[Category] = ()
        self.job: Job | None = None
        self.button = QPushButton(_BUTTON_TEXT)
        self.button.setToolTip(
            "Show samples as the training gets them: shifted, rotated and so on at random, with "
            "the mask outlined"
        )
        self.button.clicked.connect(self.show_samples)
        self.picture = _Picture()
        self.picture.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.button)
        layout.addWidget(self.picture)

    def show_samples(self) -> None:
        """Read and augment samples in a child process, and show them."""
        try:
            source, config = self._get_inputs()
        except SegmentationError as error:
            show_error(str(error))
            return
        self.clear()
        self.button.setEnabled(False)
        self.button.setText("Reading samples …")
        self.job = run(
            _augmented(source, config),
            on_event=self._on_event,
            on_done=self._on_done,
            name="Preview",
        )

    def clear(self) -> None:
        """Hide the picture, because it no longer matches the settings."""
        self.picture.hide()
        if self.job is not None:
            self.job.stop()

    def _on_event(self, event: Any) -> None:
        if isinstance(event, SampleSet):
            self._categories = event.categories
        elif isinstance(event, AugmentationPreview):
            self.picture.setPixmap(_pixmap(_mosaic(event, self._categories)))
            self.picture.setToolTip("\n".join(event.names))
            self.picture.show()
            bring_into_view(self.picture)

    def _on_done(self) -> None:
        self.job = None
        self.button.setEnabled(True)
        self.button.setText(_BUTTON_TEXT)


class _Picture(QLabel):
    """A picture that keeps its proportions when the panel is resized."""

    def __init__(self) -> None:
        super().__init__()
        self._original = QPixmap()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def setPixmap(self, pixmap: QPixmap) -> None:
        """Show a picture."""
        self._original = pixmap
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Scale the picture to the new width."""
        super().resizeEvent(event)
        self._fit()

    def sizeHint(self) -> QSize:
        """Any width, and the height of the picture at that width."""
        return QSize(super().sizeHint().width(), self.height())

    def _fit(self) -> None:
        if self._original.isNull():
            return
        mode = Qt.TransformationMode.SmoothTransformation
        scaled = self._original.scaledToWidth(max(1, self.width()), mode)
        self.setFixedHeight(scaled.height())
        super().setPixmap(scaled)


def _augmented(source: Any, config: TrainConfig) -> Generator[Any, Any, None]:
    samples = source.read(2, config.normalise)
    yield samples
    with EngineProcess(threads=config.threads) as process:
        yield from process.stream(_ENGINE, config, samples)


def _mosaic(event: AugmentationPreview, categories: Sequence[Category]) -> Array:
    """RGB tiles of the samples with the outlines of their masks, of shape (Y, X, 3)."""
    tiles = np.repeat(event.images[..., None], 3, axis=-1)
    width = max(1, tiles.shape[1] // 128)
    for value, category in enumerate(categories, 1):
        mask = event.masks == value
        inner = ndimage.binary_erosion(mask, np.ones((1, 3, 3), bool), iterations=width)
        tiles[mask & ~inner] = transform_color(category_colour(category.name))[0, :3] * 255
    count, height, breadth = tiles.shape[:3]
    rows = -(-count // _COLUMNS)
    gap = _GAP * width
    whole = np.zeros((rows * (height + gap) - gap, _COLUMNS * (breadth + gap) - gap, 3), np.uint8)
    for index, tile in enumerate(tiles):
        top, left = index // _COLUMNS * (height + gap), index % _COLUMNS * (breadth + gap)
        whole[top : top + height, left : left + breadth] = tile
    return whole


def _pixmap(rgb: Array) -> QPixmap:
    height, width = rgb.shape[:2]
    image = QImage(rgb.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
    return QPixmap.fromImage(image)
