"""The header of the dock: the open case, the model, and the help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Image, Labels
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from napari_unet_seg._napari.layers.conversion import is_user_layer
from napari_unet_seg._napari.layers.images.owner import image_of
from napari_unet_seg._napari.segment import chosen_model
from napari_unet_seg._napari.segment.model_card import ModelCard
from napari_unet_seg._napari.segment.model_choice import ModelChoice
from napari_unet_seg._napari.widgets.dock_widget import connect
from napari_unet_seg._napari.widgets.form.layer_combo import LayerCombo
from napari_unet_seg._napari.widgets.messages import show_error
from napari_unet_seg.errors import CheckpointError
from napari_unet_seg.models.card import card_text

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.viewer import ViewerModel

NO_MASK = "no mask yet"
_IMAGE_TIP = "The scan to segment; follows the selected layer, and a mask to its image"
_MASK_TIP = "The mask to correct and to save; follows the selected layer"
_OWN_TIP = "The image that the mask was made from; Segment chooses another one"
_HELD_TIP = "The mask of the open session; close the session at Correct to choose another one"


class CaseHeader(QWidget):
    """Shows and chooses the image and the mask that every step is about.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer whose layers can be chosen.
    """

    help_wanted = Signal()

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.image_combo = LayerCombo(
            viewer, lambda layer: is_user_layer(layer, Image), empty_text="no image"
        )
        self.image_combo.setToolTip(_IMAGE_TIP)
        self.mask_combo = LayerCombo(
            viewer, lambda layer: is_user_layer(layer, Labels), empty_text=NO_MASK
        )
        self.mask_combo.setToolTip(_MASK_TIP)
        self.model_choice = ModelChoice()
        self.device = QLabel()
        self._mask_leads = False
        self.card_button = QPushButton("Card")
        self.card_button.setToolTip("Show the model's training data, scores and known failures")
        self.help_button = QToolButton()
        self.help_button.setText("?")
        self.help_button.setToolTip("The keys, and the manual")
        self._lay_out()
        self.mask_combo.layerChanged.connect(self._on_mask)
        self.card_button.clicked.connect(self.show_card)
        self.help_button.clicked.connect(self.help_wanted)
        connect(self, (viewer.layers.selection.events.active, self._on_active))
        self._on_mask(self.mask_combo.layer())

    def hold_mask(self, mask: Labels | None) -> None:
        """Show the mask of the open session whatever is selected; None without a session."""
        self.mask_combo.setHeld(mask is not None)
        self.mask_combo.setToolTip(_MASK_TIP if mask is None else _HELD_TIP)
        if mask is not None:
            self.mask_combo.setLayer(mask)
            self._on_mask(mask)

    def lead_by_mask(self, leads: bool) -> None:
        """Hold the mask's own image while a step is about the mask, whatever is selected."""
        self._mask_leads = leads
        if leads:
            self._on_mask(self.mask_combo.layer())
        else:
            self._hold_image(False)

    def choose_mask(self, mask: Labels | None) -> None:
        """Choose a mask; with None, no mask until another one is chosen or added."""
        if mask is None:
            self.mask_combo.setNoLayerText(NO_MASK if self.mask_combo.layers else "")
        else:
            self.mask_combo.setLayer(mask)

    def show_device(self, name: str) -> None:
        """Show where the network runs."""
        self.device.setText(name.partition(" (")[0])
        self.device.setToolTip(f"The network runs on {name}; More settings of Segment chooses")

    def show_card(self) -> None:
        """Show the card of the chosen model in a dialog."""
        try:
            ModelCard(card_text(chosen_model.current_model()), self).show()
        except CheckpointError as error:
            show_error(str(error))

    def _lay_out(self) -> None:
        rows = QFormLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setVerticalSpacing(3)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows.addRow("Image", self.image_combo)
        rows.addRow("Mask", self.mask_combo)
        model = QHBoxLayout()
        model.setSpacing(4)
        model.addWidget(self.model_choice, 1)
        model.addWidget(self.device)
        model.addWidget(self.card_button)
        model.addWidget(self.help_button)
        rows.addRow("Model", model)

    def _on_active(self, event: Any) -> None:
        if event.value is self.mask_combo.layer():
            self._on_mask(event.value)

    def _on_mask(self, mask: Layer | None) -> None:
        """Choose the image that a mask belongs to, if the layers show which."""
        image = image_of(mask, self.image_combo.layers) if mask is not None else None
        if image is not None:
            self.image_combo.setLayer(image)
        self._hold_image(self._mask_leads and image is not None)

    def _hold_image(self, held: bool) -> None:
        if held != self.image_combo.is_held:
            self.image_combo.setHeld(held)
            self.image_combo.setToolTip(_OWN_TIP if held else _IMAGE_TIP)
