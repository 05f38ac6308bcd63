"""The choice of an image for each sequence that a model takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Image
from qtpy.QtWidgets import QFormLayout, QLabel, QWidget

from napari_unet_seg._napari.layers.conversion import is_user_layer
from napari_unet_seg._napari.layers.images.case import case_of
from napari_unet_seg._napari.segment.model_input import channels_for
from napari_unet_seg._napari.widgets.dock_widget import connect
from napari_unet_seg._napari.widgets.form.layer_combo import LayerCombo
from napari_unet_seg.io.common.stacking import listed

if TYPE_CHECKING:
    from napari.viewer import ViewerModel

    from napari_unet_seg._napari.segment.model_input import Channels
    from napari_unet_seg.models.header import CheckpointInfo

_MISSING = "missing"


class ChannelChoice(QWidget):
    """A row for each sequence of a model, filled by name; hidden for a model of one sequence.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer whose images are listed.
    images : LayerCombo
        The choice of the image to segment, whose case the sequences are of.
    """

    def __init__(self, viewer: ViewerModel, images: LayerCombo) -> None:
        super().__init__()
        self._viewer, self._images = viewer, images
        self._info: CheckpointInfo | None = None
        self._combos: dict[str, LayerCombo] = {}
        self._chosen: dict[str, Channels] = {}
        """What the user has chosen, by case; images that are added do not change it."""
        self.note = QLabel()
        self.note.setWordWrap(True)
        self._rows = QFormLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._rows.addRow(self.note)
        images.layerChanged.connect(self._fill)
        connect(self, (viewer.layers.events.inserted, self._on_inserted))
        self.hide()

    def value(self) -> Channels:
        """The image of each sequence; empty for a model of one sequence."""
        return {name: combo.layer() for name, combo in self._combos.items()}

    def setValue(self, channels: Channels) -> None:
        """Choose images for sequences of the model, as the user does."""
        self._own().update(channels)
        self._show(channels)

    def _show(self, channels: Channels) -> None:
        for name, image in channels.items():
            combo = self._combos[name]
            if image is None:
                combo.setCurrentIndex(0)
            else:
                combo.setLayer(image)

    def show_model(self, info: CheckpointInfo | None) -> None:
        """Show the sequences of a model; None for a model that cannot be read."""
        self._info = info
        names = info.sequences if info is not None and len(info.sequences) > 1 else ()
        if tuple(self._combos) != names:
            while self._rows.rowCount() > 1:
                self._rows.removeRow(0)
            self._chosen, self._combos = {}, {name: self._combo(name) for name in names}
            for row, (name, combo) in enumerate(self._combos.items()):
                self._rows.insertRow(row, name, combo)
        self.setVisible(bool(names))
        self._fill()

    def _combo(self, name: str) -> LayerCombo:
        combo = LayerCombo(self._viewer, lambda layer: is_user_layer(layer, Image), follow=False)
        combo.setNoLayerText(_MISSING)
        combo.setToolTip(f"The image that the network takes as {name}; found by its name")
        combo.layerChanged.connect(self._show_note)
        combo.activated.connect(lambda _: self._own().update({name: combo.layer()}))
        return combo

    def _on_inserted(self, event: Any) -> None:
        if is_user_layer(event.value, Image):  # a mask changes no choice of the user
            self._fill()

    def _fill(self, _: Any = None) -> None:
        image, layers = self._images.layer(), self._viewer.layers
        if image is not None and self._combos:
            kept = {name: of for name, of in self._own().items() if of is None or of in layers}
            self._show(channels_for(image, layers, tuple(self._combos)) | kept)
        self._show_note()

    def _own(self) -> Channels:
        """Return what the user has chosen for the case of the image to segment."""
        image = self._images.layer()
        return self._chosen.setdefault("" if image is None else case_of(image), {})

    def _show_note(self, _: Any = None) -> None:
        missing = [name for name, image in self.value().items() if image is None]
        text = ""
        if missing and self._info is not None:
            bears = self._info.bears_missing
            how = "as in its training" if bears else "which it never did in training"
            text = f"The network sees black for {listed(missing)}, {how}."
        self.note.setText(text)
        self.note.setVisible(bool(text))
