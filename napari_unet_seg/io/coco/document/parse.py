"""Parsing of COCO's files: each is parsed once, whatever is asked of it then."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from napari_unet_seg.io.coco.document.kinds import check_kind, kind_of
from napari_unet_seg.io.coco.document.style import JsonStyle, style_of
from napari_unet_seg.io.disk.files import reading
from napari_unet_seg.io.disk.seen import Fingerprint, stamp_of

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.io.coco.document.kinds import Kind


@dataclass(frozen=True, slots=True, eq=False)
class ParsedFile:
    """A file of JSON."""

    path: Path
    document: Any
    """The parsed JSON, which is shared and never changed."""
    kind: Kind
    style: JsonStyle
    """Layout of the text."""
    seen: Fingerprint
    """Fingerprint of what was parsed."""

    def check(self, wanted: Literal["dataset", "results"]) -> Any:
        """Return the document if the file is of a kind.

        Raises
        ------
        DataError
            If it is of another kind; the message says what to do with that one.
        """
        check_kind(self.path, self.kind, wanted)
        return self.document


def parse_file(path: Path) -> ParsedFile:
    """Parse a file of JSON.

    Raises
    ------
    DataError
        If the file is missing or is not JSON.
    """
    with reading(path, "JSON"):
        stamp = stamp_of(path) or ()
        data = path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        text = data.decode(json.detect_encoding(data), "surrogatepass")
        del data  # the parsed document takes several times its size
        document = json.loads(text)
    return ParsedFile(path, document, kind_of(document), style_of(text), Fingerprint(stamp, digest))
