"""Which module may import what, found by reading and by importing all of them."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

import napari_unet_seg

PACKAGE = Path(napari_unet_seg.__file__).parent
NAME = PACKAGE.name

LAYERS = (
    ("errors", "events", "config"),
    ("io", "nn", "models", "correct"),
    ("data", "inference"),
    ("engine",),
    ("remote",),
    ("session",),
    ("cli", "_napari"),
)
"""From bottom to top; modules that stand in no layer count for those that import them."""

LEVEL = {f"{NAME}.{name}": level for level, names in enumerate(LAYERS) for name in names}
TORCH_FREE = (
    "config",
    "correct",
    "events",
    "errors",
    "io",
    "models",
    "session",
    "remote",
    "cli",
    "_napari",
)
TORCH_FREE_PARTS = ("data.samples", "data.dataset", "data.splits")


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def part_of(module: str) -> str:
    """Return the part of the package that a module belongs to: `io.tiff` to `io`."""
    return ".".join(module.split(".")[:2])


def run_time_nodes(tree: ast.AST) -> list[ast.AST]:
    """All nodes but those that only type checkers see."""
    found, waiting = [], [tree]
    while waiting:
        node = waiting.pop()
        found.append(node)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)
    return found


@cache
def imports(module: str) -> frozenset[str]:
    """Modules of the package that a module imports, anywhere in it."""
    found: set[str] = set()
    for node in run_time_nodes(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in names}
    return frozenset(found & MODULES.keys())


def unnamed(module: str) -> bool:
    return part_of(module) not in LEVEL


def reach(module: str) -> dict[str, tuple[str, ...]]:
    """Map what a module imports, itself or through modules without a layer, to the way there."""
    found: dict[str, tuple[str, ...]] = {}
    waiting = [(module,)]
    while waiting:
        way = waiting.pop()
        for target in imports(way[-1]) - found.keys():
            found[target] = (*way, target)
            if unnamed(target):
                waiting.append(found[target])
    return found


@pytest.mark.parametrize("module", [name for name in MODULES if not unnamed(name)])
def test_imports_go_downwards(module: str) -> None:
    level = LEVEL[part_of(module)]
    wrong = [
        " → ".join(way)
        for target, way in reach(module).items()
        if LEVEL.get(part_of(target), -1) > level
    ]
    assert not wrong, f"imports of a higher layer: {wrong}"


def test_the_two_front_ends_do_not_import_each_other() -> None:
    for one, other in (("cli", "_napari"), ("_napari", "cli")):
        wrong = [
            " → ".join(way)
            for module in MODULES
            if part_of(module) == f"{NAME}.{one}"
            for target, way in reach(module).items()
            if part_of(target) == f"{NAME}.{other}" and not _opens_the_window(way)
        ]
        assert not wrong


def _opens_the_window(way: tuple[str, ...]) -> bool:
    """Whether it is the program's `open` that leads to a module."""
    return (f"{NAME}.cli._open", f"{NAME}._napari._open") in pairwise(way)


def test_reading_finds_imports_in_functions_and_leaves_out_typing() -> None:
    source = "if TYPE_CHECKING:\n import a\nelse:\n import b\ndef f():\n  from c import d\n"
    nodes = run_time_nodes(ast.parse(source))
    assert {node.names[0].name for node in nodes if isinstance(node, ast.Import)} == {"b"}
    assert any(isinstance(node, ast.ImportFrom) and node.module == "c" for node in nodes)


def loaded_after(modules: list[str], suspects: set[str]) -> set[str]:
    """Import modules in a fresh process and return which of the suspects came along."""
    code = (
        f"import sys, importlib\nfor name in {modules!r}: importlib.import_module(name)\n"
        f"print(*({suspects!r} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_the_engine_needs_no_window() -> None:
    modules = [
        name
        for name in MODULES
        if not name.startswith(f"{NAME}._napari") and not name.endswith("__main__")
    ]
    assert {f"{NAME}.engine", f"{NAME}.session", f"{NAME}.cli"} <= set(modules)
    windows = {"napari", "qtpy", "PyQt5", "PyQt6", "magicgui", "superqt", "pyqtgraph", "vispy"}
    assert loaded_after(modules, windows) == set()


def test_the_window_and_its_data_do_not_import_torch() -> None:
    wanted = {f"{NAME}.{name}" for name in TORCH_FREE}
    parts = {f"{NAME}.{name}" for name in TORCH_FREE_PARTS}
    modules = [
        name
        for name in MODULES
        if (part_of(name) in wanted or name in parts) and not name.endswith("__main__")
    ]
    assert {f"{NAME}._napari.segment", f"{NAME}._napari.train"} <= set(modules)
    assert loaded_after(modules, {"torch", "lightning", "monai"}) == set()


def test_the_engine_imports_no_more_than_a_prediction_needs() -> None:
    assert loaded_after([f"{NAME}.engine"], {"scipy", "skimage", "lightning", "zarr"}) == set()


def test_the_package_itself_imports_nothing() -> None:
    assert loaded_after([NAME], {"torch", "qtpy", "napari", "numpy"}) == set()
