"""Numbers of things in sentences."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: `1 mask`, `2 masks`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def is_or_are(number: int) -> str:
    """Return the verb of a number of things."""
    return "is" if number == 1 else "are"


def was_or_were(number: int) -> str:
    """Return the past of the verb of a number of things."""
    return "was" if number == 1 else "were"
