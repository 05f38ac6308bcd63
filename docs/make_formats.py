"""Write docs/reference/formats.md: what of a mask survives in which format.

    python docs/make_formats.py [--smoke]

It runs tests/io/test_formats.py, which stores and reads random masks in every format, and writes
down what it found: "yes" where the property came back in every one of them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
TEST = ROOT / "tests" / "io" / "test_formats.py"

HEAD = """# What survives in which format

Each cell was set by a test that stored random masks (oblique grids, holes, objects that touch,
labels up to 70 000, category ids from 0 to 2³¹, names of any script) and compared what it read
back: `python docs/make_formats.py`. Another test sends masks through every pair of formats: what
both keep survives.

"""

TAIL = """
- **shape, dtype**: of the labels; the smallest integers that hold them. COCO has no label values
  of its own, so they are numbered again when it is read. **axes**: of a slice, a volume, and a
  volume over time. A COCO file is a stack of independent images; DICOM SEG is for volumes.
- **spacing**: voxel size and unit. **affine**: where a voxel lies in the patient, oblique ones
  included. A NIfTI mask has its scan's shape, affine, qform and sform with their codes.
- **categories**: id, name and supercategory, in their order. **instances**: objects of one
  category that touch stay two. **ids**: of annotations. **attributes**: of annotations.
- **holes**: in COCO as RLE. If polygons are asked for always, a mask with holes is cut at them
  into polygons side by side, which pycocotools draws identically.
- **Overlaps in COCO**: annotations are drawn in the file's order, the later on top. Back in its
  file an annotation below others is still whole, unless its pixels were painted over.
- TIFF, NIfTI and OME-Zarr keep objects, with the columns of their table, in the description
  that stands in the file; other programs see the label values.
- In TIFFs of 0 and 255 a folder's name is all that is left of a category.
"""


class _Cells:
    """Collects the cells as the tests report them."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, bool]] = {}
        self.failed: list[str] = []

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note a cell, or that its test failed."""
        if report.failed:
            self.failed.append(report.nodeid)
        if report.when == "call":
            for name, value in report.user_properties:
                if name == "cell":
                    row, column, survives = value
                    self.found.setdefault(row, {})[column] = survives


def write(page: Path, which: str) -> int:
    """Run the tests that an expression selects, and write the page."""
    cells = _Cells()
    pytest.main([str(TEST), "-q", "-p", "no:cacheprovider", "-k", which], plugins=[cells])
    if cells.failed:
        print(f"{len(cells.failed)} tests failed; the page is left as it was.", file=sys.stderr)
        return 1
    columns = list(next(iter(cells.found.values())))
    lines = ["| " + " | ".join(["format", *columns]) + " |", "|---" * (len(columns) + 1) + "|"]
    for name, row in cells.found.items():
        lines.append(
            "| " + " | ".join([name, *("yes" if row[c] else "no" for c in columns)]) + " |"
        )
    page.write_text(HEAD + "\n".join(lines) + "\n" + TAIL, encoding="utf-8")
    return 0


def main() -> int:
    """Write the page; with --smoke one row of it, into a folder that is removed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--smoke", action="store_true", help="one format; nothing is kept")
    if not parser.parse_args().smoke:
        return write(ROOT / "docs" / "reference" / "formats.md", "not page")
    with tempfile.TemporaryDirectory() as folder:
        return write(Path(folder) / "formats.md", "test_cell and NIfTI")


if __name__ == "__main__":
    sys.exit(main())
