"""Convolutions that apply their activation in the same pass, for inference on a CPU.

By default torch makes a second pass over each result for the activation, and reorders the weights
at each call. `torch.compile` avoids both, but needs a C++ compiler on the user's machine. This
module calls the oneDNN operators that `torch.compile` would call.
"""

from __future__ import annotations

from typing import Any, TypeGuard

import torch
from torch import nn

_Convolution = nn.Conv2d | nn.Conv3d

# Not every build of torch has them.
_reorder_weight: Any = getattr(torch.ops.mkldnn, "_reorder_convolution_weight", None)
_convolve: Any = getattr(torch.ops.mkldnn, "_convolution_pointwise", None)
_has_bfloat16: Any = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)


def can_fuse(dtype: torch.dtype) -> bool:
    """Whether this build of torch and this CPU have fused convolutions of a data type."""
    if None in (_reorder_weight, _convolve, _has_bfloat16):
        return False
    # oneDNN refuses bfloat16 where the processor has none; torch's own convolutions emulate it.
    return dtype is torch.float32 or bool(_has_bfloat16())


class FusedConvolution(nn.Module):
    """A convolution and, if given, the activation after it, for inference on a CPU.

    Maps (B, C, …) to (B, K, …), float32 or bfloat16 as the weights are.

    Parameters
    ----------
    convolution : nn.Conv2d or nn.Conv3d
        Padded with a number of zeros; the module is not changed.
    activation : nn.ReLU or nn.LeakyReLU, optional
        Applied to the result of the convolution.
    """

    def __init__(self, convolution: _Convolution, activation: nn.Module | None = None) -> None:
        super().__init__()
        self._geometry = (
            list(convolution.padding),
            list(convolution.stride),
            list(convolution.dilation),
            convolution.groups,
        )
        self._weight = convolution.weight.detach()
        if self._weight.dtype is torch.bfloat16:
            # In float32 the best layout depends on the size of the image: a fixed layout can take
            # three times as long on a CPU without AVX-512.
            self._weight = _reorder_weight(self._weight.contiguous(), *self._geometry)
        self._bias = None if convolution.bias is None else convolution.bias.detach()
        self._activation = _activation_arguments(activation)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Convolve and activate."""
        activated: torch.Tensor = _convolve(
            x, self._weight, self._bias, *self._geometry, *self._activation
        )
        return activated


def _activation_arguments(activation: nn.Module | None) -> tuple[str, list[Any], str]:
    """Return the operators' arguments for an activation: name, scalars, algorithm."""
    if isinstance(activation, nn.LeakyReLU):
        return "leaky_relu", [activation.negative_slope], ""
    return "none" if activation is None else "relu", [], ""


def _is_fusible(module: nn.Module | None) -> TypeGuard[_Convolution]:
    if not isinstance(module, _Convolution):
        return False
    return module.padding_mode == "zeros" and not isinstance(module.padding, str)


def fuse(module: nn.Module) -> nn.Module:
    """Fuse each convolution of a net in evaluation mode, in place; the outputs stay the same."""
    for name, child in module.named_children():
        setattr(module, name, _fused(child))
    return module


def _fused(module: nn.Module) -> nn.Module:
    if _is_fusible(module):
        return FusedConvolution(module)
    return _fuse_sequence(module) if isinstance(module, nn.Sequential) else fuse(module)


def _fuse_sequence(sequence: nn.Sequential) -> nn.Sequential:
    layers: list[nn.Module] = []
    before: nn.Module | None = None
    for layer in sequence:
        if isinstance(layer, nn.ReLU | nn.LeakyReLU) and _is_fusible(before):
            layers[-1] = FusedConvolution(before, layer)
        else:
            layers.append(_fused(layer))
        before = layer
    return nn.Sequential(*layers)
