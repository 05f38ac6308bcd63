"""Layout of a JSON file, so that it can be written again in the same layout."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

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

    def dumps(self, document: Any, default: Callable[[Any], Any] | None = None) -> str:
        """Return the text of a document; `default` converts values that JSON does not support."""
        text = json.dumps(
            document,
            default=default,
            indent=self.indent,
            separators=(self.item_separator, self.key_separator),
            ensure_ascii=self.is_ascii,
        )
        return text + self.end


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
