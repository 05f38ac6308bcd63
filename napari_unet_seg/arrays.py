"""The type of arrays whose shape and dtype a docstring says."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]
