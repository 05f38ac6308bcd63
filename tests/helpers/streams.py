"""Streams of events for tests."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def here(function: str, *args: Any, **kwargs: Any) -> Any:
    """Run a stream in this process, where the program runs it in another."""
    module, name = function.split(":")
    return getattr(import_module(module), name)(*args, **kwargs)
