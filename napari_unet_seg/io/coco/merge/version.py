"""Merging of edits made here with changes that other programs made to a COCO file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from napari_unet_seg.errors import ConflictError
from napari_unet_seg.io.coco.merge.keys import identity_of, keyed
from napari_unet_seg.io.coco.merge.lost import Lost
from napari_unet_seg.io.common.ids import new_ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from napari_unet_seg.config import Id
    from napari_unet_seg.io.coco.edit import Edit
    from napari_unet_seg.io.coco.merge.keys import Keep, Key
    from napari_unet_seg.io.coco.read import Annotation
    from napari_unet_seg.io.disk.seen import Fingerprint

_MOST_NAMED = 5


@dataclass
class Version:
    """A COCO file on disk: what is in it, and which of that other programs have changed.

    Parameters
    ----------
    path : Path
        The file.
    base : dict
        The document that the masks were drawn from.
    theirs : dict
        The base with the changes by other programs and without the edits made here.
    stored : dict of Key to Annotation
        The annotations of the file as it was last read or written here.
    seen : Fingerprint, optional
        The state of the file of `stored`; without one the file is read before it is written.
    """

    path: Path
    base: dict[str, Any]
    theirs: dict[str, Any]
    stored: dict[Key, Annotation]
    seen: Fingerprint | None = None
    edits: dict[Id, Edit] = field(default_factory=dict)
    """The edits made here, by image id."""
    before: dict[Key, Annotation] = field(init=False)
    """The annotations with which both sides are compared, first those of `base`."""
    others: dict[Key, Annotation] = field(init=False)
    """The annotations of `theirs`."""
    added: dict[Key, Annotation] = field(default_factory=dict)
    """The new annotations that were last written here."""
    given_up: dict[Key, Annotation | None] = field(default_factory=dict)
    """Edits in whose place the user kept the version of the other program."""

    def __post_init__(self) -> None:
        self.before = keyed(self.base["annotations"])
        self.others = keyed(self.theirs["annotations"])

    def elsewhere(self, path: Path) -> Version:
        """Return the version of a new file that begins with the content of this one."""
        theirs = {**self.theirs, "annotations": list(self.others.values())}
        return Version(path, self.base, theirs, {}, edits=dict(self.edits))

    def take(self, document: dict[str, Any], seen: Fingerprint) -> int:
        """Take over what another program has changed in the file; return how many annotations."""
        new = keyed(document["annotations"])
        changed = {
            key
            for key in {**self.stored, **new}
            if key not in new or key not in self.stored or new[key] != self.stored[key]
        }
        others = {
            key: new[key] if key in changed else self.others[key]
            for key in new
            if key in changed or key in self.others
        }
        others |= {k: a for k, a in self.others.items() if k not in new and k not in changed}
        for key in changed & self.added.keys() & new.keys():
            if _is_same_object(self.added[key], new[key]):
                self.before[key] = self.added[key]
            else:
                # The other program gave the id to an annotation of its own.
                del self.added[key]
        self.theirs, self.others, self.stored, self.seen = document, others, new, seen
        return len(changed)

    def merge(
        self, changes: Mapping[Key, Annotation | None], new: list[Annotation], keep: Keep | None
    ) -> dict[str, Any]:
        """Return the document with the edits made here and the changes by other programs.

        Parameters
        ----------
        changes : mapping of Key to Annotation
            Edited annotations of the base, None for a removed one.
        new : list of Annotation
            New annotations, without ids.
        keep : str, optional
            Which version stays where both differ.

        Raises
        ------
        ConflictError
            If an annotation was changed both here and by another program, and `keep` is not given.
        """
        self.added = self._numbered(new)
        mine = {
            key: annotation
            for key, annotation in {**changes, **self.added}.items()
            if annotation not in (self.before.get(key), self.others.get(key))
        }
        lost = Lost(self.base, self.theirs)
        disputed = {
            key: annotation
            for key, annotation in mine.items()
            if self.others.get(key) != self.before.get(key) or lost.is_needed_by(annotation)
        }
        unsettled = {k: a for k, a in disputed.items() if not self._is_given_up(k, a)}
        if unsettled and keep is None:
            raise self._conflict(unsettled)
        if keep == "theirs":
            self.given_up |= disputed
        mine = {key: a for key, a in mine.items() if not self._is_given_up(key, a)}
        if keep == "mine":
            self._settle(disputed)
        merged = {**self.others, **mine}
        removed = {key for key, annotation in mine.items() if annotation is None}
        self.theirs = lost.restored(self.theirs, mine.values())
        return {**self.theirs, "annotations": [a for k, a in merged.items() if k not in removed]}

    def wrote(self, document: dict[str, Any], seen: Fingerprint | None) -> None:
        """Record that a document was written to the file."""
        self.stored, self.seen = keyed(document["annotations"]), seen

    def _is_given_up(self, key: Key, mine: Annotation | None) -> bool:
        return key in self.given_up and self.given_up[key] == mine

    def _settle(self, disputed: Iterable[Key]) -> None:
        """Do not ask again about the versions of the other program that there are now."""
        for key in disputed:
            if key in self.others:
                self.before[key] = self.others[key]
            else:
                self.before.pop(key, None)

    def _numbered(self, new: list[Annotation]) -> dict[Key, Annotation]:
        """Give new annotations ids: the same ones as at the last save, or above the highest."""
        by_content = {_content(a): key for key, a in self.added.items()}
        by_content |= {_content(a): key for key, a in self.others.items() if key not in self.before}
        found = [by_content.pop(_content(a), None) for a in new]
        given = set(found)
        free = iter([key for key in self.added if key not in given])
        used = (*self.before, *self.others, *self.added)
        above = ((identity, 0) for identity in new_ids(identity for identity, _ in used))
        keys = [key or next(free, None) or next(above) for key in found]
        return {key: {"id": key[0], **a} for key, a in zip(keys, new, strict=True)}

    def _conflict(self, disputed: dict[Key, Annotation | None]) -> ConflictError:
        parts = tuple(self._describe(key, mine) for key, mine in disputed.items())
        named = "; ".join(parts[:_MOST_NAMED]) + ("; …" if len(parts) > _MOST_NAMED else "")
        several = f"{len(parts)} annotations were" if len(parts) > 1 else "1 annotation was"
        return ConflictError(
            f"{self.path} was not written, since {several} changed both here and by another "
            f"program ({named}); choose which version to keep, mine or theirs.",
            self.path,
            parts,
        )

    def _describe(self, key: Key, mine: Annotation | None) -> str:
        there = self.others.get(key)
        image = (mine or there or self.before.get(key) or {}).get("image_id")
        names = (e.get("file_name") for e in self.base["images"] if identity_of(e) == image)
        name = next(names, f"image {image}")
        did = ["deleted" if version is None else "changed" for version in (mine, there)]
        return f"annotation {key[0]} of {name}: {did[0]} here, {did[1]} there"


def _is_same_object(mine: Annotation, there: Any) -> bool:
    """Whether another program's annotation is a changed version of one that was new here."""
    if not isinstance(there, dict) or there.get("image_id") != mine["image_id"]:
        return False
    box = there.get("bbox")
    if not isinstance(box, list) or len(box) != 4:
        return False
    try:
        return all(
            a < b + height and b < a + width
            for a, width, b, height in zip(
                mine["bbox"][:2], mine["bbox"][2:], box[:2], box[2:], strict=True
            )
        )
    except TypeError:
        return False


def _content(annotation: Annotation) -> str:
    return json.dumps(
        {k: v for k, v in annotation.items() if k != "id"}, sort_keys=True, default=str
    )
