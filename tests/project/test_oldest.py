"""The lower bounds of the dependencies are the versions that are tested."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
DEPENDENCIES = [*PROJECT["dependencies"]]
DEPENDENCIES += [each for extra in sorted({*EXTRAS} - {"dev", "docs"}) for each in EXTRAS[extra]]


def key(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


def locked(name: str) -> dict[str, str]:
    lines = (ROOT / ".ci" / name).read_text().splitlines()
    pairs = (line.split("==") for line in lines if not line.startswith("#"))
    return {key(package): version for package, version in pairs}


def same(version: str) -> str:
    return re.sub(r"(\.0)+$", "", version)


@pytest.mark.parametrize("dependency", DEPENDENCIES)
def test_the_lower_bound_is_the_version_that_is_tested(dependency: str) -> None:
    package, bound = re.match(r"([\w.-]+)(?:\[.*\])?>=([\d.]+)", dependency).groups()
    oldest = locked("oldest.txt")[key(package)]
    if package == "torch":  # older wheels are too large to test
        assert oldest == locked("constraints.txt")["torch"]
    else:
        assert same(oldest) == same(bound)
