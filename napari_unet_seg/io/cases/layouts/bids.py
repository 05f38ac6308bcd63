"""Layout of BIDS, the Brain Imaging Data Structure: `sub-*/[ses-*/]anat`.

Source: Gorgolewski et al. 2016 and the BIDS specification. Masks lie in `derivatives`, with the
suffix `mask` or `dseg`, or the entity `label`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from napari_unet_seg.io.cases.case import Case, LeftOut, Plan, Source, usual_order
from napari_unet_seg.io.common.names import free_name, sequence_in
from napari_unet_seg.io.distinct_names import short_name

if TYPE_CHECKING:
    from napari_unet_seg.io.cases.tree import Tree

_SESSION = re.compile(r"(?:derivatives/(?:.+/)?)?(sub-[A-Za-z0-9]+)/(?:(ses-[A-Za-z0-9]+)/)?anat/")
_MASK_ENDS = ("_mask", "_dseg")


def plan(tree: Tree) -> Plan | None:
    """Plan a folder with `sub-*/anat` or `sub-*/ses-*/anat`; None for any other folder."""
    found: dict[tuple[str, str], tuple[dict[str, Source], dict[str, Source]]] = {}
    left_out: list[LeftOut] = []
    for path in tree.files:
        match = _SESSION.match(tree.relative(path))
        if match is None:
            left_out.append(LeftOut(path, "not in a folder anat of a subject"))
            continue
        sequences, masks = found.setdefault((match[1], match[2] or ""), ({}, {}))
        name = short_name(path)
        if name.endswith(_MASK_ENDS):
            masks.setdefault(_mask_name(name), Source((path,)))
        elif tree.relative(path).startswith("derivatives"):
            left_out.append(LeftOut(path, "made from another image, and not a mask"))
        else:
            sequences[free_name(_sequence(name), sequences, " ")] = Source((path,))
    cases = tuple(
        Case(
            f"{subject}_{visit}" if visit else subject,
            usual_order(sequences),
            masks,
            "names of BIDS",
            subject,
            visit,
        )
        for (subject, visit), (sequences, masks) in found.items()
        if sequences
    )
    if not cases:
        return None
    return Plan(tree.root, "BIDS", "folders sub-*/anat", cases, tuple(left_out))


def _sequence(name: str) -> str:
    """Return a sequence's name from the suffix and the contrast of a file's name."""
    suffix = name.rpartition("_")[2]
    contrast = "_ce" if "_ce-" in name else ""
    return sequence_in(suffix + contrast) or suffix


def _mask_name(name: str) -> str:
    match = re.search(r"_(?:label|desc)-([A-Za-z0-9]+)", name)
    return match[1] if match else name.rpartition("_")[2]
