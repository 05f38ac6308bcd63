"""U-Nets with pretrained encoders of `segmentation-models-pytorch`."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import nn

from napari_unet_seg.errors import CheckpointError, ConfigError
from napari_unet_seg.io.common.optional_dependencies import require
from napari_unet_seg.nn.finite import check_finite
from napari_unet_seg.nn.layers import conv, logit_channels

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.config import ModelConfig

_PREFIX = "encoder."
"""Prefix of the names of the encoder's weights in a stored whole model."""
_COUNTER = "num_batches_tracked"


class EncoderUNet(nn.Module):
    """A U-Net whose contracting path is an image classification network (Iakubovskii 2019).

    Parameters
    ----------
    config : ModelConfig
        `encoder`, `depth`, and `width`, the number of channels of the finest decoder level.

    Raises
    ------
    DataError
        If the package `segmentation-models-pytorch` is not installed.
    ConfigError
        If the package has no such encoder.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        whole = _build(config, config.channels)
        self.encoder: Any = whole.encoder
        self.decoder: Any = whole.decoder
        self.last = conv(config, config.width, logit_channels(config), 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, channels, Y, X) to logits (B, K, Y, X); sizes are multiples of 2**depth."""
        logits: torch.Tensor = self.last(self.decoder(self.encoder(x)))
        return logits

    def contracting(self) -> list[nn.Module]:
        """Return the encoder, which is frozen as a whole."""
        return [self.encoder]

    def supervised(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return the logits; coarser levels are not supervised."""
        return [self(x)]

    def load_encoder(self, path: Path) -> None:
        """Load the encoder's weights from a file, and adapt weights for three input channels.

        Parameters
        ----------
        path : Path
            Safetensors, or a state dict of torch that holds only tensors; of the encoder or of a
            whole model of the package.

        Raises
        ------
        CheckpointError
            If the file cannot be read, or holds another encoder or numbers that are not finite.
        """
        state = _read_state(path)
        check_finite(state, path)
        if any(key.startswith(_PREFIX) for key in state):
            state = {k.removeprefix(_PREFIX): v for k, v in state.items() if k.startswith(_PREFIX)}
        encoder: Any = self.encoder
        adapted = not self._fits(state)
        if adapted:
            encoder = _build(self.config, 3).encoder
        try:
            # The last layers of a classifier are not used; old files have no counters.
            encoder.load_state_dict(
                {
                    k: state[k] if _COUNTER not in k else state.get(k, v)
                    for k, v in encoder.state_dict().items()
                }
            )
        except (RuntimeError, KeyError) as error:
            raise _foreign(path, self.config) from error
        if adapted:
            encoder.set_in_channels(self.config.channels, pretrained=True)
            self.encoder = encoder

    def _fits(self, state: dict[str, torch.Tensor]) -> bool:
        """Whether the weights have the number of input channels of the net."""
        own = self.encoder.state_dict()
        return all(value.shape == own[key].shape for key, value in state.items() if key in own)


def _build(config: ModelConfig, channels: int) -> Any:
    smp = require("segmentation_models_pytorch")
    names = smp.encoders.get_encoder_names()
    if config.encoder not in names:
        raise ConfigError(
            f"There is no encoder {config.encoder!r}; take resnet34, efficientnet-b0 or another "
            f"of the {len(names)} of segmentation-models-pytorch."
        )
    try:
        return smp.Unet(
            config.encoder,
            encoder_depth=config.depth,
            encoder_weights=None,
            decoder_channels=[config.width * 2**n for n in reversed(range(config.depth))],
            in_channels=channels,
        )
    except (ValueError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(
            f"The encoder {config.encoder!r} cannot be used ({reason}); take another one."
        ) from error


def _read_state(path: Path) -> dict[str, torch.Tensor]:
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise CheckpointError(
            f"The weights {path} cannot be read ({error.strerror or error}); choose another file."
        ) from error
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise CheckpointError(
            f"{path} holds no weights that can be read safely; give a .safetensors file, or a "
            "state dict that torch.save wrote."
        ) from error
    state = state.get("state_dict", state) if isinstance(state, dict) else state
    if not isinstance(state, dict) or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise CheckpointError(f"{path} holds something other than weights; give a state dict.")
    return state


def _foreign(path: Path, config: ModelConfig) -> CheckpointError:
    return CheckpointError(
        f"The weights in {path} are not those of the encoder {config.encoder}; set model.encoder "
        "to the one they are of."
    )
