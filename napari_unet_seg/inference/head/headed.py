"""A network with a head in place of its last layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from napari_unet_seg.inference.head.features import features_of
from napari_unet_seg.inference.head.fitting import Head
from napari_unet_seg.inference.loaded_model import LoadedModel
from napari_unet_seg.inference.predictor import Predictor

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import PredictConfig
    from napari_unet_seg.events import DeviceFallback


class HeadedPredictor(Predictor):
    """Computes the probabilities of slices by a head on the features of a network.

    Parameters
    ----------
    predictor : Predictor
        Of a model that `has_features`.
    head : Head
        Fitted to these features.
    """

    def __init__(self, predictor: Predictor, head: Head) -> None:
        vars(self).update(vars(predictor))
        self._head = Head(*(each.to(self.device) for each in head))

    @torch.inference_mode()
    def probabilities(
        self, images: Array, config: PredictConfig, aspect: float = 1.0
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Compute the probabilities of the foreground classes, from one view of the slices."""
        x = torch.from_numpy(images).to(self.device).float() / 255
        logits = self._head.logits(features_of(self, x, aspect))
        whole = F.interpolate(logits, x.shape[-2:], mode="bilinear")
        return whole.sigmoid(), whole.new_zeros((len(x), *x.shape[-2:]))


class HeadedModel(LoadedModel):
    """A model with a head, which it keeps where it goes on on the CPU.

    Parameters
    ----------
    model : LoadedModel
        The model, which `has_features`.
    head : Head
        Fitted to its features.
    """

    def __init__(self, model: LoadedModel, head: Head) -> None:
        vars(self).update(vars(model))
        self._head = head
        self.predictor = HeadedPredictor(model.predictor, head)

    def reduce_memory(self, error: Exception, batch: int = 1) -> DeviceFallback:
        """Go on with less memory, and with the head."""
        fallback = super().reduce_memory(error, batch)
        if not isinstance(self.predictor, HeadedPredictor):
            self.predictor = HeadedPredictor(self.predictor, self._head)
        return fallback
