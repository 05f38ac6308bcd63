"""The part of the command line that all scripts share: their data, and `--smoke`."""

from __future__ import annotations

import argparse
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


def parser_of(doc: str, data: str = "", actions: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Make a parser that describes itself by the first line of a script.

    Parameters
    ----------
    doc : str
        The script's docstring.
    data : str
        What the argument `folder` is a folder of; empty for a script without data.
    actions : sequence of str
        Choices of an argument `action` before it.
    """
    parser = argparse.ArgumentParser(description=doc.split("\n")[0])
    parser.add_argument(
        "--smoke", action="store_true", help="a few seconds on synthetic data; nothing is kept"
    )
    if actions:
        parser.add_argument("action", choices=actions)
    if data:
        parser.add_argument("folder", type=Path, nargs="?", metavar=data)
    return parser


@contextmanager
def given_to(
    parser: argparse.ArgumentParser,
    make: Callable[[Path], Path] | None = None,
    **smallest: Any,
) -> Iterator[argparse.Namespace]:
    """Parse the command line; with `--smoke` take the smallest sizes instead.

    Parameters
    ----------
    parser : ArgumentParser
        Of `parser_of`.
    make : callable, optional
        Makes the synthetic data in an empty folder, and returns the folder to read.
    smallest : any
        Values of options with `--smoke`.

    Yields
    ------
    Namespace
        The options, and `scratch`: a folder that is removed at the end.
    """
    given = parser.parse_args()
    if make and not given.smoke and given.folder is None:
        parser.error("name the folder of the data, or give --smoke")
    with tempfile.TemporaryDirectory() as scratch:
        given.scratch = Path(scratch)
        if given.smoke:
            vars(given).update(smallest)
        if make and given.smoke:
            (given.scratch / "data").mkdir()
            given.folder = make(given.scratch / "data")
        yield given
