"""Layout of a JSON file, so that it can be written again in the same layout."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_SAMPLE = 100_000
"""Number of characters at the start of a file that the layout is derived from."""


@dataclass(frozen=True, slots=True)
class JsonStyle:
    """Options of `json.dumps` for the layout of a file; the defaults are Python's."""

    indent: str | None = None
    """Indentation of one level; None for a file on a single line."""
    item_separator: str = ", "
    key_separator: str = ": "
    is_ascii: bool = True
    """Whether characters other than ASCII are escaped."""
    end: str = "\n"

    def pieces(
        self, document: Mapping[str, Any], default: Callable[[Any], Any] | None = None
    ) -> Iterator[str]:
        """Yield the text of a document in pieces, each far smaller than a large document.

        Parameters
        ----------
        document : mapping
            A JSON object.
        default : callable, optional
            Converts values that JSON does not support.
        """
        encoder = json.JSONEncoder(
            default=default,
            indent=self.indent,
            separators=(self.item_separator, self.key_separator),
            ensure_ascii=self.is_ascii,
        )
        # Without an indent, whole entries are encoded in C, which takes a tenth of the time.
        is_on_one_line = self.indent is None
        yield from (
            self._lines(document, encoder) if is_on_one_line else encoder.iterencode(document)
        )
        yield self.end

    def _lines(self, document: Mapping[str, Any], encoder: json.JSONEncoder) -> Iterator[str]:
        yield "{"
        for place, (key, value) in enumerate(document.items()):
            yield f"{self.item_separator * bool(place)}{encoder.encode(key)}{self.key_separator}"
            if isinstance(value, list):
                yield "["
                for number, item in enumerate(value):
                    yield self.item_separator * bool(number) + encoder.encode(item)
                yield "]"
            else:
                yield encoder.encode(value)
        yield "}"


def style_of(text: str) -> JsonStyle:
    """Derive the layout from the text of a JSON object.

    Numbers are always written in Python's format: `1e2` becomes `100.0`.
    """
    start = text[:_SAMPLE]
    indent = re.match(r"\s*\{\r?\n([ \t]*)\"", start)
    key = re.search(r'"\s*(:\s*)(?=[\[{"\d-])', start)
    item = re.search(r'(,[ \t]*)"(?:[^"\\]|\\.)*"\s*:', start)
    end = re.search(r"\s*\Z", text[-10:])
    default = JsonStyle()
    return JsonStyle(
        indent[1] if indent else None,
        "," if indent else item[1] if item else default.item_separator,
        key[1] if key else default.key_separator,
        text.isascii(),
        end[0] if end else "",
    )
