"""Texts that fit: long paths are shortened in the middle, so that the file's name stays."""

from __future__ import annotations

import re

_MAX_PATH = 44
"""Characters of a path that a notification and a line of the dock have room for."""
_PATH = re.compile(r"(?<![^\s“\"'(])(?:~|[A-Za-z]:)?[/\\][^\s;,“”\"')]+")


def fitted(text: str, most: int = _MAX_PATH) -> str:
    """Return a text in which no path is longer than `most` characters.

    Folders in the middle of a path give way to an ellipsis; then the middle of the file's name.

    Parameters
    ----------
    text : str
        A message; its paths start with a slash, a tilde or a drive and hold no spaces.
    most : int
        Characters of the longest path.
    """
    return _PATH.sub(lambda found: _shorten(found.group(), most), text)


def _shorten(path: str, most: int) -> str:
    bare = path.rstrip(".:")  # the end of the sentence
    if len(bare) <= most:
        return path
    *_, name = re.split(r"[/\\]", bare.rstrip("/\\"))
    separator = "\\" if "\\" in bare else "/"
    room = most - len(name) - 2
    start = f"{bare[: max(room, 0)]}…{separator}"
    if room < 0:
        half = most // 2 - 2
        name = f"{name[:half]}…{name[-half:]}"
    return start + name + path[len(bare) :]
