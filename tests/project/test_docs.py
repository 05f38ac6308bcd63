"""README, CONTRIBUTING and the pages: what they name is there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder

import napari_unet_seg

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md")


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_links_to_is_there(page: str) -> None:
    file = ROOT / page
    links = re.findall(r"\]\(([^)#]+)", file.read_text(encoding="utf-8"))
    inner = [link for link in links if "://" not in link]
    assert inner
    assert [link for link in inner if not (file.parent / link).exists()] == []


def test_pages_show_the_scripts_that_they_name() -> None:
    pages = [*(ROOT / "docs").rglob("*.md")]
    shown = [line for page in pages for line in page.read_text().splitlines() if "--8" in line]
    names = [re.fullmatch(r'--8<-- "(.+)"', line) for line in shown]
    assert all(names), f"a page shows the line itself: {shown}"
    assert all((ROOT / name[1]).is_file() for name in names if name)
    assert len(names) > 5


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_what_is_promised_is_linked(page: str) -> None:
    assert "](SECURITY.md)" in (ROOT / page).read_text(encoding="utf-8")


def test_what_is_promised_is_in_the_archive_of_the_sources() -> None:
    builder = SdistBuilder(str(ROOT))
    paths = {file.distribution_path for file in builder.recurse_included_files()}
    assert {"README.md", "LICENSE", "CHANGELOG.md", "SECURITY.md"} <= paths


def test_the_files_that_contributors_are_sent_to_are_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:napari_unet_seg|tests|docs|benchmarks)/[\w./]+)`", text)
    assert len(named) >= 15
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_public_call_and_setting_is_in_the_reference() -> None:
    pages = ("api", "settings")
    text = "".join((ROOT / "docs/reference" / f"{page}.md").read_text() for page in pages)
    documented = {path.rpartition(".")[2] for path in re.findall(r"^::: (\S+)", text, re.M)}
    public = {name for name in napari_unet_seg.__all__ if name.islower() or name.endswith("Config")}
    assert public - {"Config"} <= documented


def test_the_tutorial_tells_what_was_measured() -> None:
    records = ROOT / "benchmarks/results/new_category/rate-0.0001-epochs-40.json"
    record = json.loads(records.read_text(encoding="utf-8"))
    text = (ROOT / "docs/tutorial/first-case.md").read_text(encoding="utf-8")
    text = text[text.index("Six slices are a start") :]
    dice = [record["held out"]["after"]]
    for part in ("other slices", "second patient"):
        dice += [record[part][name] for name in ("tumour", "oedema")]
    assert re.findall(r"\d\.\d\d", text) == [f"{value:.2f}" for value in dice]
