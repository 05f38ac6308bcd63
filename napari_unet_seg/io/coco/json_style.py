"""How a JSON file is laid out, so that it can be written again in the same way."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_LOOKED_AT = 100_000
"""Characters at the start of a file that show its layout."""


@dataclass(frozen=True, slots=True)
class JsonStyle:
    """What `json.dumps` can be told of a file's layout; the default is Python's own."""

    indent: str | None = None
    """Of one level; None where everything stands on one line."""
    item_separator: str = ", "
    key_separator: str = ": "
    is_ascii: bool = True
    """Whether other characters are escaped."""
    end: str = "\n"

    def dumps(self, document: Any, default: Callable[[Any], Any] | None = None) -> str:
        """Return a document's text; `default` turns what JSON does not know into what it does."""
        text = json.dumps(
            document,
            default=default,
            indent=self.indent,
            separators=(self.item_separator, self.key_separator),
            ensure_ascii=self.is_ascii,
        )
        return text + self.end


def style_of(text: str) -> JsonStyle:
    """Find out how an object's JSON is laid out.

    Numbers are written as Python does in any case: `1e2` becomes `100.0`.
    """
    start = text[:_LOOKED_AT]
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
