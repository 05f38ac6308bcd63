"""The program `napari-unet-seg`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        The arguments of the command line by default; then Ctrl+C and stray errors are the
        program's own until the process ends.
    """
    # Imported here, so that Ctrl+C is quiet while the commands are imported.
    from napari_unet_seg.cli._interrupt import STOPPED, catch

    if arguments is None:
        catch()
    try:
        from napari_unet_seg.cli._app import run

        return run(arguments)
    except KeyboardInterrupt:
        return STOPPED


__all__ = ["main"]
