"""The version of a file's layout, and which versions can be read.

A minor version adds keys that need not be understood. So the unknown keys of a newer minor version
are no mistakes, while a file of a newer major version cannot be read.
"""

from __future__ import annotations

from napari_unet_seg.errors import ConfigError, NewerVersionError

Version = int | float | str
"""The major version, or both as `"major.minor"`; a number where the minor one is below ten."""


def is_newer(stated: object, known: Version, source: str) -> bool:
    """Whether a file is of a newer minor version than the one known.

    Parameters
    ----------
    stated : object
        The version as the file has it.
    known : int or str
        The newest version that is known.
    source : str
        Names the file in the error message.

    Raises
    ------
    NewerVersionError
        If the file is of a newer major version.
    ConfigError
        If the file states something that is no version.
    """
    theirs, ours = _parts(stated, source), _parts(known, source)
    if theirs[0] > ours[0]:
        raise NewerVersionError(
            f"{source} was written by a newer version; update napari-unet-seg to open it."
        )
    return theirs[0] == ours[0] and theirs[1] > ours[1]


def major(stated: object, source: str) -> int:
    """Return the major version.

    Raises
    ------
    ConfigError
        If it is no version.
    """
    return _parts(stated, source)[0]


def _parts(stated: object, source: str) -> tuple[int, int]:
    first, _, second = str(stated).partition(".")
    try:
        return int(first), int(second or 0)
    except ValueError as error:
        raise ConfigError(
            f"{source}: {str(stated)[:40]!r} is no version of a file's layout; give a number."
        ) from error
