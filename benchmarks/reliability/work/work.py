"""Work that is killed, and what must be there afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(slots=True)
class Found:
    """What was found after a kill."""

    lost: list[str] = field(default_factory=list)
    """What was lost, is half-written or does not go on."""
    litter: int = 0
    """Temporary files that are still there after the work was done again."""

    def expect(self, is_so: object, otherwise: str) -> None:
        """Note a loss unless something is so."""
        if not is_so:
            self.lost.append(otherwise)


@dataclass(frozen=True, slots=True)
class Work:
    """A kind of work; its functions run in processes of their own, in a folder of their own."""

    name: str
    share: int
    """Kills of a thousand."""
    prepare: Callable[[Path, Any], None]
    """Fill the folder."""
    run: Callable[[Path, Any], None]
    """Work in a copy of it, and tell what is stored."""
    check: Callable[[Path, list[Any], Any], None]
    """Find out what is there after what was told, do the work again, and tell a `Found`."""
    victim: Literal["all", "child"] = "all"
    """The whole group of processes; or a child process, after which the parent ends by itself."""
    begins: str = ""
    """What it tells when kills by time begin; empty: at once."""


def hidden_files(folder: Path) -> int:
    """Count the temporary files below a folder, which have hidden names."""
    own = {".zgroup", ".zattrs", ".zarray", ".zmetadata"}
    return sum(p.name.startswith(".") and p.name not in own for p in folder.rglob("*"))
