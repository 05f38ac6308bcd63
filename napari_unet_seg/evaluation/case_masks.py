"""The masks of a folder of cases, by the names of the cases and of their scans."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.cases.plan import plan_folder
from napari_unet_seg.io.cases.read import read_case_mask
from napari_unet_seg.io.cases.scans import path_of, scans_of
from napari_unet_seg.io.distinct_names import distinct_names, short_name
from napari_unet_seg.io.read import read_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from napari_unet_seg.io.cases.case import Case, Plan
    from napari_unet_seg.io.common.scan import Scan


def plan_of_masks(folder: Path) -> Plan | None:
    """Return the plan of a folder of cases with masks, or of masks in the folders of patients.

    None for any other folder, for example of mask files alone.
    """
    try:
        plan = plan_folder(folder)
    except DataError:
        return None  # a folder of DICOM SEG for example, which holds no scans
    if any(case.masks for case in plan.cases):
        return plan
    files = [s for case in plan.cases for s in case.sequences.values() if s.slices is None]
    below = all(source.files[0].parent != folder for source in files)
    return plan if below and len(files) == len(plan.cases) else None


def loaders(plan: Plan) -> dict[str, Callable[[], Scan]]:
    """Return a function by the name of each case that reads its first mask."""
    if any(case.masks for case in plan.cases):
        return {case.name: _loader(case) for case in plan.cases if case.masks}
    return {case.name: _loader_of_file(case) for case in plan.cases}


def aliases(plan: Plan) -> dict[str, str]:
    """Return the case of each other name that a mask of it may have; names of two cases are none.

    Masks of `predict` have the names of the scans, others those of files or folders.
    """
    found: defaultdict[str, set[str]] = defaultdict(set)
    for case in plan.cases:
        for name in _other_names(case):
            found[name].add(case.name)
    paths = [scan.path for scan in scans_of(plan)]
    owners = {path_of(s): case.name for case in plan.cases for s in case.sequences.values()}
    for path, name in zip(paths, distinct_names(paths), strict=True):
        found[name].add(owners[path])
    return {name: next(iter(cases)) for name, cases in found.items() if len(cases) == 1}


def mask_files(plan: Plan) -> list[Path]:
    """Return the files of the masks that `loaders` reads."""
    masks = [next(iter(case.masks.values())) for case in plan.cases if case.masks]
    sources = masks or [source for case in plan.cases for source in case.sequences.values()]
    return [source.files[0] for source in sources]


def _other_names(case: Case) -> Iterator[str]:
    for name, source in case.sequences.items():
        yield short_name(path_of(source))
        yield path_of(source).parent.name
        yield f"{case.name}_{name}"
    for source in case.masks.values():
        if source.slices is None:
            yield short_name(source.files[0])


def _loader(case: Case) -> Callable[[], Scan]:
    return lambda: read_case_mask(case).labels


def _loader_of_file(case: Case) -> Callable[[], Scan]:
    [source] = case.sequences.values()
    return lambda: read_labels(source.files[0])
