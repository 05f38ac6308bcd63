"""Coded concepts of segments, from SNOMED CT, by the names of their categories.

DICOM asks for a category (PS3.16 CID 7150) and a type (CID 7151, both extensible) of what a
segment shows. Names that hold a word of the table get its concept; every other name is coded as
tissue, which says nothing wrong. The name itself is the segment's label in any case.
"""

from __future__ import annotations

from typing import NamedTuple


class Concept(NamedTuple):
    """A code of SNOMED CT with its meaning."""

    value: str
    meaning: str


_TISSUE = Concept("85756007", "Tissue")
_ABNORMAL = Concept("49755003", "Morphologically Abnormal Structure")

_WORDS = {
    ("edema", "oedema"): Concept("79654002", "Edema"),
    ("necro",): Concept("6574001", "Necrosis"),
    ("hemorrhage", "haemorrhage"): Concept("50960005", "Hemorrhage"),
    ("tumor", "tumour", "glioma", "meningioma", "neoplasm", "adenoma", "metasta"): Concept(
        "108369006", "Neoplasm"
    ),
    ("lesion",): Concept("52988006", "Lesion"),
}


def concepts_of(name: str) -> tuple[Concept, Concept]:
    """Return the category and the type of a segment; the first entry that matches is taken."""
    lowered = name.casefold()
    for words, concept in _WORDS.items():
        if any(word in lowered for word in words):
            return _ABNORMAL, concept
    return _TISSUE, _TISSUE
