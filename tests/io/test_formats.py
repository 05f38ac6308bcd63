"""Every cell of the table of formats, and every pair of formats."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from formats import FORMATS, PROPERTIES, SURVIVES, Mask, masks
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

quick = settings(
    deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
any_axes = st.sampled_from(["YX", "ZYX", "TZYX"]).flatmap(masks)


def through(name: str, mask: Mask) -> Mask:
    """A mask after it was stored and read again."""
    with TemporaryDirectory() as folder:
        return FORMATS[name](mask, Path(folder))


@cache
def kept(name: str) -> frozenset[str]:
    """The properties that come back in every random mask."""
    lost: set[str] = set()

    def look(mask: Mask, keys: Iterable[str]) -> None:
        found = through(name, mask)
        lost.update(key for key in keys if not PROPERTIES[key](mask, found))

    @settings(quick, max_examples=25)
    @given(masks())
    def volumes(mask: Mask) -> None:
        look(mask, PROPERTIES.keys() - {"axes"})

    @settings(quick, max_examples=12)
    @given(any_axes)
    def grids(mask: Mask) -> None:
        look(mask, ["axes"])

    volumes()
    grids()
    return frozenset(PROPERTIES) - lost


@pytest.mark.parametrize("key", PROPERTIES)
@pytest.mark.parametrize("name", FORMATS)
def test_cell(name: str, key: str, record_property: Callable[[str, object], None]) -> None:
    found = key in kept(name)
    record_property("cell", [name, key, found])
    assert found == (key in SURVIVES[name])


PAIRS = [(a, b) for a in FORMATS for b in FORMATS if a != b]


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_what_both_formats_keep_survives_the_way_through_them(source: str, target: str) -> None:
    both = SURVIVES[source] & SURVIVES[target]

    @settings(quick, max_examples=3)
    @given(masks())
    def check(mask: Mask) -> None:
        first = through(source, mask)
        again = through(target, fill(first, mask))
        for key in both:
            assert PROPERTIES[key](mask, again), key

    check()


def fill(found: Mask, mask: Mask) -> Mask:
    """Give a mask a place where its format had none, as the scan that it is shown on does."""
    known = {
        "axes": mask.axes,
        "spacing": mask.spacing,
        "unit": mask.unit,
        "affine": mask.affine,
    }
    return Mask(found.labels, **known, categories=found.categories, things=found.things)


def test_the_page_is_that_of_the_table() -> None:
    file = Path(__file__).parents[2] / "docs" / "reference" / "formats.md"
    page = file.read_text(encoding="utf-8")
    rows = {
        cells[0]: cells[1:]
        for line in page.splitlines()
        if line.startswith("| ") and (cells := [c.strip() for c in line.strip("|").split("|")])
    }
    assert rows["format"] == list(PROPERTIES)
    for name, kept in SURVIVES.items():
        assert rows[name] == ["yes" if key in kept else "no" for key in PROPERTIES]
