"""SNOMED CT codes of segments, by the names of their categories.

DICOM requires a category (PS3.16 CID 7150) and a type (CID 7151, both extensible) of a segment.
A name that contains a term of the table gets the concept of this term; any other name is coded as
tissue, which is never wrong. The label of the segment is always the name itself.
"""

from __future__ import annotations

from typing import NamedTuple


class Concept(NamedTuple):
    """A code of SNOMED CT with its meaning."""

    value: str
    meaning: str


_TISSUE = Concept("85756007", "Tissue")
_ABNORMAL = Concept("49755003", "Morphologically Abnormal Structure")

_TERMS = {
    ("edema", "oedema"): Concept("79654002", "Edema"),
    ("necro",): Concept("6574001", "Necrosis"),
    ("hemorrhage", "haemorrhage"): Concept("50960005", "Hemorrhage"),
    ("tumor", "tumour", "glioma", "meningioma", "neoplasm", "adenoma", "metasta"): Concept(
        "108369006", "Neoplasm"
    ),
    ("lesion",): Concept("52988006", "Lesion"),
}


def concepts_of(name: str) -> tuple[Concept, Concept]:
    """Return the category and the type of a segment, from the first entry that matches."""
    lowered = name.casefold()
    for terms, concept in _TERMS.items():
        if any(term in lowered for term in terms):
            return _ABNORMAL, concept
    return _TISSUE, _TISSUE
