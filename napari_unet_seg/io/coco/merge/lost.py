"""Images and categories that another program has removed from a COCO file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_unet_seg.io.coco.merge.keys import identity_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_unet_seg.io.coco.read import Annotation


class Lost:
    """Images and categories of the base that another program has removed or resized."""

    def __init__(self, base: dict[str, Any], theirs: dict[str, Any]) -> None:
        self._lost = {
            (reference, identity_of(entry)): (name, entry)
            for name, reference in (("images", "image_id"), ("categories", "category_id"))
            if base.get(name) != theirs.get(name)
            for entry in _missing(base.get(name) or [], theirs.get(name) or [])
        }

    def is_needed_by(self, annotation: Annotation | None) -> bool:
        """Whether an annotation refers to one of them."""
        return annotation is not None and bool(self._needed_by(annotation))

    def restored(
        self, document: dict[str, Any], annotations: Iterable[Annotation | None]
    ) -> dict[str, Any]:
        """Return the document with the lost entries that annotations refer to."""
        needed = {key for a in annotations if a is not None for key in self._needed_by(a)}
        for name, entry in (self._lost[key] for key in needed):
            rest = [e for e in document.get(name) or [] if identity_of(e) != identity_of(entry)]
            document = {**document, name: [*rest, entry]}
        return document

    def _needed_by(self, annotation: Annotation) -> list[tuple[str, Any]]:
        keys = [(name, identity_of(annotation, name)) for name in ("image_id", "category_id")]
        return [key for key in keys if key in self._lost]


def _missing(base: list[Any], theirs: list[Any]) -> list[dict[str, Any]]:
    there = {identity_of(entry): _size(entry) for entry in theirs}
    entries = [entry for entry in base if isinstance(entry, dict)]
    return [e for e in entries if there.get(identity_of(e), ()) != _size(e)]


def _size(entry: Any) -> Any:
    return (entry.get("width"), entry.get("height")) if isinstance(entry, dict) else None
