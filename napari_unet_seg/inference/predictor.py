"""A checkpoint made ready to predict: folded, channels last, in the fastest precision."""

from __future__ import annotations

import copy
import functools
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from napari_unet_seg.inference.fused import can_fuse, fuse
from napari_unet_seg.inference.tiling import tile_places, tile_window
from napari_unet_seg.inference.tta import look
from napari_unet_seg.nn.checkpoint import load_net
from napari_unet_seg.nn.devices import channels_last, choose_device, choose_dtype
from napari_unet_seg.nn.encoders import EncoderUNet
from napari_unet_seg.nn.labels import probabilities as to_probabilities
from napari_unet_seg.nn.sizes import apply_net

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_unet_seg.config import Device, ModelConfig, Precision, PredictConfig
    from napari_unet_seg.models.header import CheckpointInfo

Array = np.ndarray[Any, np.dtype[Any]]

_TRIAL = {2: 192, 3: 32}
"""Pixels a side of what the precisions are timed on, by dimensions."""

_fastest: dict[ModelConfig, torch.dtype] = {}
"""What a processor was measured to be fastest in. Timed once for all models of one shape: another
timing could come out otherwise, and one scan would be segmented in two ways.
"""


def load_predictor(path: Path, device: Device, precision: Precision) -> Predictor:
    """Load a checkpoint, or return it from memory if the file has not changed since."""
    stat = path.stat() if path.is_file() else None
    return _load(path, stat and stat.st_mtime_ns, device, precision)


@functools.lru_cache(maxsize=2)
def _load(path: Path, mtime: int | None, device: Device, precision: Precision) -> Predictor:
    info, net = load_net(path)
    net.eval()
    # Encoders from elsewhere look their layers up by place, which folding changes.
    folded = net if isinstance(net, EncoderUNet) else fold(net)
    return Predictor(info, folded, choose_device(device), precision)


def fold(module: nn.Module) -> nn.Module:
    """Fold each batch norm into the convolution before it, in place; same result, less work."""
    for name, child in module.named_children():
        if isinstance(child, nn.Sequential):
            setattr(module, name, _fold_sequence(child))
        else:
            fold(child)
    return module


def _fold_sequence(sequence: nn.Sequential) -> nn.Sequential:
    layers: list[nn.Module] = []
    for layer in sequence:
        place = _convolution_before(layers)
        if isinstance(layer, nn.BatchNorm2d | nn.BatchNorm3d) and place is not None:
            before: Any = layers[place]
            transpose = isinstance(before, nn.ConvTranspose2d | nn.ConvTranspose3d)
            layers[place] = fuse_conv_bn_eval(before, layer, transpose)
        elif not isinstance(layer, nn.Dropout2d | nn.Dropout3d):
            layers.append(
                fold(layer) if not isinstance(layer, nn.Sequential) else _fold_sequence(layer)
            )
    return nn.Sequential(*layers)


def _convolution_before(layers: list[nn.Module]) -> int | None:
    """Where the convolution stands that the next layer works on.

    Interpolation between them does not matter: its weights sum to one, so that a batch norm
    commutes with it.
    """
    place = len(layers) - 1
    if place > 0 and isinstance(layers[place], nn.Upsample):
        place -= 1
    kinds = nn.Conv2d | nn.Conv3d | nn.ConvTranspose2d | nn.ConvTranspose3d
    return place if place >= 0 and isinstance(layers[place], kinds) else None


class Predictor:
    """Probabilities of slices.

    Parameters
    ----------
    info : CheckpointInfo
        What the checkpoint says of itself.
    net : nn.Module
        Folded, in evaluation mode.
    device : torch.device
        Where to compute.
    precision : str
        `auto` times float32 against bfloat16 on a processor, once for all models of one shape, and
        takes float16 on a GPU.
    """

    def __init__(
        self, info: CheckpointInfo, net: nn.Module, device: torch.device, precision: Precision
    ) -> None:
        self.info = info
        self.device = device
        net = channels_last(net, device)
        self.dtype = self._choose_dtype(precision, net)
        self._net = self._at_its_fastest(net, self.dtype)

    def _choose_dtype(self, precision: Precision, net: nn.Module) -> torch.dtype:
        if precision == "auto" and self.device.type != "cpu":
            # Every GPU has it; its mantissa is longer than bfloat16's, and no gradient can vanish.
            return torch.float16
        model = self.info.model
        if precision == "auto" and model in _fastest:
            return _fastest[model]
        # Copies, for weights that were bfloat16 once have lost half their digits.
        ready = functools.cache(lambda dtype: self._at_its_fastest(copy.deepcopy(net), dtype))
        found = choose_dtype(precision, self.device, lambda dtype: self._try(ready(dtype), dtype))
        # The first of two threads at once decides for both.
        return _fastest.setdefault(model, found) if precision == "auto" else found

    @torch.inference_mode()
    def _try(self, net: nn.Module, dtype: torch.dtype) -> None:
        model = self.info.model
        shape = (1, model.channels, *[_TRIAL[model.dimensions]] * model.dimensions)
        images = torch.zeros(shape, dtype=dtype, device=self.device)
        apply_net(net, model, channels_last(images, self.device))

    def _at_its_fastest(self, net: nn.Module, dtype: torch.dtype) -> nn.Module:
        net = net.to(dtype)
        if self.device.type != "cpu" or isinstance(net, EncoderUNet) or not can_fuse(dtype):
            return net
        return fuse(net)

    @torch.inference_mode()
    def logits(self, images: torch.Tensor) -> torch.Tensor:
        """Map floats in 0…1 of shape (B, C, …), any size, to float32 logits (B, K, …)."""
        ready = channels_last(images.to(dtype=self.dtype), self.device)
        return apply_net(self._net, self.info.model, ready).float()

    @torch.inference_mode()
    def look(
        self, images: Array, config: PredictConfig, aspect: float = 1.0
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Probabilities of the foreground classes, and how much the views disagree.

        Parameters
        ----------
        images : array
            uint8 slices of one size, of shape (B, C, Y, X).
        config : PredictConfig
            In which views; whether the longer side is brought to the size of training, or the
            slices are tiled at their own size, and with how much overlap.
        aspect : float
            Height of a pixel over its width, which resampling evens out.

        Returns
        -------
        probable : Tensor
            float32 of shape (B, classes, Y, X), on the device.
        spread : Tensor
            Standard deviation over the views, float32 of shape (B, Y, X).
        """
        x = torch.from_numpy(images).to(self.device).float() / 255
        if config.resample:
            net = functools.partial(self._resampled, aspect=aspect)
        else:
            net = functools.partial(self._tiled, overlap=config.overlap)
        logits, spread = look(net, x, config.views, self.info.model.head, aspect)
        return to_probabilities(logits, self.info.model.head), spread

    def _resampled(self, x: torch.Tensor, aspect: float) -> torch.Tensor:
        height, width = x.shape[-2:]
        scale = self.info.image_size / max(height * aspect, width)
        size = (max(1, round(height * aspect * scale)), max(1, round(width * scale)))
        if size == (height, width):
            return self.logits(x)
        shrinks = size[0] < height or size[1] < width
        small = F.interpolate(x, size, mode="bilinear", antialias=shrinks)
        return F.interpolate(self.logits(small), (height, width), mode="bilinear")

    def _tiled(self, x: torch.Tensor, overlap: float) -> torch.Tensor:
        return blend_tiles(x, self.logits, self.info.image_size, overlap)


def blend_tiles(
    x: torch.Tensor, net: Callable[[torch.Tensor], torch.Tensor], tile: int, overlap: float
) -> torch.Tensor:
    """Apply a net to overlapping tiles of (B, C, Y, X) and blend the logits (B, K, Y, X)."""
    size = x.shape[-2:]
    total: torch.Tensor | None = None
    weight = torch.zeros(size, device=x.device)
    for rows, columns in tile_places(tuple(size), (tile, tile), overlap):
        logits = net(x[..., rows, columns])
        part = torch.from_numpy(tile_window((rows, columns), tuple(size), (tile, tile), overlap))
        part = part.to(x.device)
        if total is None:
            total = x.new_zeros((len(x), logits.shape[1], *size))
        total[..., rows, columns] += logits * part
        weight[rows, columns] += part
    if total is None:
        raise ValueError("an image without pixels has no tiles")
    return total / weight
