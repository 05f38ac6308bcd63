"""Convolutions on a processor that activate in the same pass.

Left to itself, torch goes over each result again for the activation, and lays the weights out anew
at each call. Its compiler avoids both, but needs a C++ compiler on the user's machine; these are
the operators that it would call, oneDNN's.
"""

from __future__ import annotations

from typing import Any, TypeGuard

import torch
from torch import nn

_Convolution = nn.Conv2d | nn.Conv3d

# Not every build of torch has them.
_lay_out: Any = getattr(torch.ops.mkldnn, "_reorder_convolution_weight", None)
_convolve: Any = getattr(torch.ops.mkldnn, "_convolution_pointwise", None)
_has_bfloat16: Any = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)


def can_fuse(dtype: torch.dtype) -> bool:
    """Whether this torch and this processor have such convolutions."""
    if None in (_lay_out, _convolve, _has_bfloat16):
        return False
    # oneDNN refuses bfloat16 where the processor has none; torch's own convolutions emulate it.
    return dtype is torch.float32 or bool(_has_bfloat16())


class FusedConvolution(nn.Module):
    """A convolution and, if given, the activation after it, for inference on a processor.

    (B, C, …) to (B, K, …), float32 or bfloat16 as the weights are.

    Parameters
    ----------
    convolution : nn.Conv2d or nn.Conv3d
        Padded with so many zeros; it is left as it is.
    activation : nn.Module, optional
        A ReLU or a leaky one.
    """

    def __init__(self, convolution: _Convolution, activation: nn.Module | None = None) -> None:
        super().__init__()
        self._how = (
            list(convolution.padding),
            list(convolution.stride),
            list(convolution.dilation),
            convolution.groups,
        )
        self._weight = convolution.weight.detach()
        if self._weight.dtype is torch.bfloat16:
            # In float32 the best layout hangs on the size of the image: a fixed one can take three
            # times as long where there is no AVX-512.
            self._weight = _lay_out(self._weight.contiguous(), *self._how)
        self._bias = None if convolution.bias is None else convolution.bias.detach()
        self._then = _named(activation)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Convolve and activate."""
        found: torch.Tensor = _convolve(x, self._weight, self._bias, *self._how, *self._then)
        return found


def _named(activation: nn.Module | None) -> tuple[str, list[Any], str]:
    """An activation as the operators know it: name, scalars, algorithm."""
    if isinstance(activation, nn.LeakyReLU):
        return "leaky_relu", [activation.negative_slope], ""
    return "none" if activation is None else "relu", [], ""


def _is_fusible(module: nn.Module | None) -> TypeGuard[_Convolution]:
    if not isinstance(module, _Convolution):
        return False
    return module.padding_mode == "zeros" and not isinstance(module.padding, str)


def fuse(module: nn.Module) -> nn.Module:
    """Fuse each convolution of a net in evaluation mode, in place; the same result, sooner."""
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
