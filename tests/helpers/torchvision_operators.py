"""Make torchvision importable beside a torch that it was not built for."""

from __future__ import annotations

import sys

import torch

_kept = []


def declare() -> None:
    """Declare the operators that torchvision wants to find as it is imported.

    PyPI has it built for a GPU's torch alone. Beside a torch without one its compiled operators do
    not load; the encoders call none of them.
    """
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        for name in [n for n in sys.modules if n.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")
        for operator in ("nms", "qnms"):
            library.define(f"{operator}(Tensor dets, Tensor scores, float threshold) -> Tensor")
        _kept.append(library)
