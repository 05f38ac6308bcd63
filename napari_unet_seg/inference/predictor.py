"""Predictor: a checkpoint optimised for inference by folding, memory layout and precision."""

from __future__ import annotations

import copy
import functools
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from napari_unet_seg.inference.fused_convolution import can_fuse, fuse
from napari_unet_seg.inference.tiling import tile_slices, tile_weights
from napari_unet_seg.inference.tta import augmented_forward
from napari_unet_seg.nn.checkpoint import load_net
from napari_unet_seg.nn.devices import channels_last, choose_device, choose_dtype
from napari_unet_seg.nn.encoders import EncoderUNet
from napari_unet_seg.nn.labels import to_probabilities
from napari_unet_seg.nn.sizes import apply_net, fit, trimmed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Device, ModelConfig, Precision, PredictConfig
    from napari_unet_seg.models.header import CheckpointInfo


_TRIAL = {2: 192, 3: 32}
"""Side length in pixels of the input that precisions are timed on, by number of dimensions."""

_fastest: dict[ModelConfig, torch.dtype] = {}
"""The precision that was fastest on the CPU. Measured once for all models of one shape: a second
measurement could find another precision, and the same scan would get a slightly different mask.
"""


def load_predictor(path: Path, device: Device, precision: Precision) -> Predictor:
    """Load a checkpoint, or return it from memory if its file has not changed.

    Raises
    ------
    CheckpointError
        If the file is no checkpoint of this package.
    EngineError
        If the device does not exist on this machine.
    """
    stat = path.stat() if path.is_file() else None
    return _load(path, stat and stat.st_mtime_ns, device, precision)


@functools.lru_cache(maxsize=3)
def _load(path: Path, mtime: int | None, device: Device, precision: Precision) -> Predictor:
    info, net = load_net(path)
    net.eval()
    # Encoders of segmentation-models-pytorch find their layers by position, which folding changes.
    folded = net if isinstance(net, EncoderUNet) else fold(net)
    return Predictor(info, folded, choose_device(device), precision)


def fold(module: nn.Module) -> nn.Module:
    """Fold each batch norm into the convolution before it, in place; the outputs stay the same."""
    for name, child in module.named_children():
        if isinstance(child, nn.Sequential):
            setattr(module, name, _fold_sequence(child))
        else:
            fold(child)
    return module


def _fold_sequence(sequence: nn.Sequential) -> nn.Sequential:
    layers: list[nn.Module] = []
    for layer in sequence:
        index = _last_convolution(layers)
        if isinstance(layer, nn.BatchNorm2d | nn.BatchNorm3d) and index is not None:
            before: Any = layers[index]
            transpose = isinstance(before, nn.ConvTranspose2d | nn.ConvTranspose3d)
            layers[index] = fuse_conv_bn_eval(before, layer, transpose)
        elif not isinstance(layer, nn.Dropout2d | nn.Dropout3d):
            layers.append(
                fold(layer) if not isinstance(layer, nn.Sequential) else _fold_sequence(layer)
            )
    return nn.Sequential(*layers)


def _last_convolution(layers: list[nn.Module]) -> int | None:
    """Return the index of the convolution that a following batch norm can be folded into.

    An interpolation between the two does not matter: its weights sum to one, so that a batch norm
    commutes with it.
    """
    index = len(layers) - 1
    if index > 0 and isinstance(layers[index], nn.Upsample):
        index -= 1
    kinds = nn.Conv2d | nn.Conv3d | nn.ConvTranspose2d | nn.ConvTranspose3d
    return index if index >= 0 and isinstance(layers[index], kinds) else None


class Predictor:
    """A network that computes the probabilities of slices.

    Parameters
    ----------
    info : CheckpointInfo
        Header of the checkpoint.
    net : nn.Module
        Folded, in evaluation mode.
    device : torch.device
        Device to compute on.
    precision : str
        `auto` times float32 against bfloat16 on a CPU, once for all models of one shape, and takes
        float16 on a GPU.
    """

    def __init__(
        self, info: CheckpointInfo, net: nn.Module, device: torch.device, precision: Precision
    ) -> None:
        self.info = info
        self.device = device
        net = channels_last(net, device)
        self.dtype = self._choose_dtype(precision, net)
        self._net = self._optimised(net, self.dtype)

    def _choose_dtype(self, precision: Precision, net: nn.Module) -> torch.dtype:
        if precision == "auto" and self.device.type != "cpu":
            # Every GPU has float16. Its mantissa is longer than that of bfloat16, and its small
            # range does no harm without gradients.
            return torch.float16
        model = self.info.model
        if precision == "auto" and model in _fastest:
            return _fastest[model]
        # Copies, because weights lose half their digits on conversion to bfloat16.
        optimised = functools.cache(lambda dtype: self._optimised(copy.deepcopy(net), dtype))
        chosen = choose_dtype(
            precision, self.device, lambda dtype: self._trial(optimised(dtype), dtype)
        )
        # Of two threads that measure at once, the first to finish decides for both.
        return _fastest.setdefault(model, chosen) if precision == "auto" else chosen

    @torch.inference_mode()
    def _trial(self, net: nn.Module, dtype: torch.dtype) -> None:
        model = self.info.model
        shape = (1, model.channels, *[_TRIAL[model.dimensions]] * model.dimensions)
        images = torch.zeros(shape, dtype=dtype, device=self.device)
        apply_net(net, model, channels_last(images, self.device))

    def _optimised(self, net: nn.Module, dtype: torch.dtype) -> nn.Module:
        net = net.to(dtype)
        if self.device.type != "cpu" or isinstance(net, EncoderUNet) or not can_fuse(dtype):
            return net
        return fuse(net)

    @torch.inference_mode()
    def logits(self, images: torch.Tensor) -> torch.Tensor:
        """Map floats in 0…1 of shape (B, C, …), any size, to float32 logits (B, K, …)."""
        prepared = channels_last(images.to(dtype=self.dtype), self.device)
        return apply_net(self._net, self.info.model, prepared).float()

    @torch.inference_mode()
    def features(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Map floats as `logits` to logits and the features before them, for a 2D U-Net.

        The features (B, D, Y, X) are those of the finest level and of the one above, upsampled.
        """
        net: Any = self._net
        prepared = channels_last(images.to(dtype=self.dtype), self.device)
        *_, above, finest = net.features(fit(self.info.model, prepared))
        logits = net.last(finest).float()
        inner = [finest.float(), F.interpolate(above.float(), scale_factor=2.0, mode="bilinear")]
        size = images.shape[2:]
        return trimmed(logits, size), torch.cat([trimmed(each, size) for each in inner], 1)

    @torch.inference_mode()
    def probabilities(
        self, images: Array, config: PredictConfig, aspect: float = 1.0
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Compute the probabilities of the foreground classes, and how much the views disagree.

        Parameters
        ----------
        images : array
            uint8 slices of one size, of shape (B, C, Y, X).
        config : PredictConfig
            The views of test-time augmentation; whether slices are resampled until their longer
            side has the size of training, or are tiled at their own size; overlap of the tiles.
        aspect : float
            Height of a pixel over its width; resampling makes pixels square.

        Returns
        -------
        probabilities : Tensor
            float32 of shape (B, classes, Y, X), on the device.
        disagreement : Tensor
            Standard deviation over the views, float32 of shape (B, Y, X), on the device.
        """
        x = torch.from_numpy(images).to(self.device).float() / 255
        if config.resample:
            net = functools.partial(self._resampled, aspect=aspect)
        else:
            net = functools.partial(self._tiled, overlap=config.overlap)
        head = self.info.model.head
        logits, disagreement = augmented_forward(net, x, config.views, head, aspect)
        return to_probabilities(logits, head), disagreement

    def resampled(self, x: torch.Tensor, aspect: float = 1.0) -> torch.Tensor:
        """Resample images (B, C, Y, X) until the longer side has the size of training."""
        height, width = x.shape[-2:]
        scale = self.info.image_size / max(height * aspect, width)
        size = (max(1, round(height * aspect * scale)), max(1, round(width * scale)))
        if size == (height, width):
            return x
        shrinks = size[0] < height or size[1] < width
        return F.interpolate(x, size, mode="bilinear", antialias=shrinks)

    def _resampled(self, x: torch.Tensor, aspect: float) -> torch.Tensor:
        logits = self.logits(self.resampled(x, aspect))
        if logits.shape[-2:] == x.shape[-2:]:
            return logits
        return F.interpolate(logits, x.shape[-2:], mode="bilinear")

    def _tiled(self, x: torch.Tensor, overlap: float) -> torch.Tensor:
        return blend_tiles(x, self.logits, self.info.image_size, overlap)


def blend_tiles(
    x: torch.Tensor, net: Callable[[torch.Tensor], torch.Tensor], tile: int, overlap: float
) -> torch.Tensor:
    """Apply a net to overlapping tiles and blend their logits.

    Parameters
    ----------
    x : Tensor
        Images of shape (B, C, Y, X).
    net : callable
        Maps floats of shape (B, C, y, x) to logits of shape (B, K, y, x).
    tile : int
        Height and width of a tile in pixels.
    overlap : float
        Least share of a tile that neighbouring tiles have in common, in 0…1.

    Returns
    -------
    Tensor
        Logits of shape (B, K, Y, X).
    """
    size = x.shape[-2:]
    total: torch.Tensor | None = None
    weight = torch.zeros(size, device=x.device)
    for rows, columns in tile_slices(tuple(size), (tile, tile), overlap):
        logits = net(x[..., rows, columns])
        part = torch.from_numpy(tile_weights((rows, columns), tuple(size), (tile, tile), overlap))
        part = part.to(x.device)
        if total is None:
            total = x.new_zeros((len(x), logits.shape[1], *size))
        total[..., rows, columns] += logits * part
        weight[rows, columns] += part
    if total is None:
        raise ValueError("an image without pixels has no tiles")
    return total / weight
