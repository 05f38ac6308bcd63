"""The pages on layouts: each shows a folder, and in a table what the plan takes it for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from dicom_files import write_series

from napari_unet_seg.data.dataset import open_dataset
from napari_unet_seg.io.cases.plan import plan_folder

PAGES = sorted((Path(__file__).parents[3] / "docs/how-to/layouts").glob("*.md"))
SERIES = {"series1": "ax T1 post", "series2": "t2_flair_tra"}


def tree_of(text: str) -> list[str]:
    """Return the paths of the files in a drawn tree."""
    found, folders = [], []
    for line in text.splitlines()[1:]:
        level, name = len(re.match(r"[│├└─\s]*", line)[0]) // 4, line.lstrip("│├└─ \u00a0")
        folders = [*folders[: level - 1], name]
        if not name.endswith("/"):
            found.append("".join(folders))
    return found


def build(root: Path, page: str) -> None:
    tree = re.search(r"```text\n(.*?)```", page, re.DOTALL)[1]
    described = re.search(r"```json\n(.*?)```", page, re.DOTALL)
    for path in (root / name for name in tree_of(tree)):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.name == "dataset.json":
            path.write_text(described[1], encoding="utf-8")
        elif path.suffix != ".dcm":
            path.touch()
        elif not any(path.parent.iterdir()):  # all slices of a series at once
            number, patient = int(path.parent.name[-1]), path.parts[-3]
            study = f"1.2.{ord(patient[0])}"
            write_series(
                path.parent,
                [0, 1],
                number,
                name=SERIES[path.parent.name],
                PatientID=patient,
                StudyInstanceUID=study,
                SeriesInstanceUID=f"{study}.{number}",
            )


def table_of(page: str) -> list[tuple[str, ...]]:
    rows = re.search(r"\| Case \| Sequences \| Masks \|\n.*?\n(.*?)\n\n", page, re.DOTALL)[1]
    return [tuple(cell.strip() for cell in row.split("|")[1:4]) for row in rows.splitlines()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_folder_of_a_page_is_taken_as_its_table(page: Path, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8")
    build(tmp_path, text)

    cases = plan_folder(tmp_path).cases
    found = [(c.name, ", ".join(c.sequences), ", ".join(c.masks)) for c in cases]
    assert sorted(found) == sorted(table_of(text))


def test_our_layout_has_its_patients_split_and_categories_in_all_that_reads_it(
    tmp_path: Path,
) -> None:
    build(tmp_path, next(p for p in PAGES if p.stem == "ours").read_text(encoding="utf-8"))

    plan, data = plan_folder(tmp_path), open_dataset(tmp_path)
    planned = {(case.name, case.patient, case.split) for case in plan.cases}
    assert planned == {(sample.name, sample.group, sample.split) for sample in data.samples}
    assert plan.categories == tuple((i, c.name) for i, c in enumerate(data.categories, 1))
    assert not plan.left_out
