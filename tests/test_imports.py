"""What is loaded with what, in fresh processes; which part may import which is lint's to hold."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import napari_unet_seg

PACKAGE = Path(napari_unet_seg.__file__).parent
NAME = PACKAGE.name

TORCH_FREE = (
    "config",
    "correct",
    "events",
    "errors",
    "io",
    "models",
    "session",
    "process",
    "cli",
    "_napari",
    "data.samples",
    "data.dataset",
    "data.splits",
    "evaluation.compare",
    "evaluation.evaluate",
)
"""Parts that the window and the program load at their start."""
BY_NAME_ALONE = (f"{NAME}.process.child",)
"""Run as programs of their own."""


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = [
    name
    for name in map(module_name, sorted(PACKAGE.rglob("*.py")))
    if not name.endswith("__main__") and name not in BY_NAME_ALONE
]


def loaded_after(statements: str, suspects: set[str]) -> set[str]:
    """Run statements in a fresh process and return which of the suspects came along."""
    code = f"import sys\n{statements}\nprint(*({suspects!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def importing(modules: list[str]) -> str:
    return f"import importlib\nfor name in {modules!r}: importlib.import_module(name)"


def is_part(module: str, part: str) -> bool:
    return f"{module}.".startswith(f"{NAME}.{part}.")


def test_the_engine_needs_no_window() -> None:
    modules = [name for name in MODULES if not is_part(name, "_napari")]
    assert {f"{NAME}.engine", f"{NAME}.session.session", f"{NAME}.cli"} <= set(modules)
    windows = {"napari", "qtpy", "PyQt5", "PyQt6", "PySide6", "magicgui", "superqt", "pyqtgraph"}
    assert loaded_after(importing(modules), windows | {"vispy"}) == set()


def test_the_window_and_its_data_do_not_import_torch() -> None:
    modules = [name for name in MODULES if any(is_part(name, part) for part in TORCH_FREE)]
    assert {f"{NAME}._napari.segment.widget", f"{NAME}._napari.train.widget"} <= set(modules)
    assert loaded_after(importing(modules), {"torch", "lightning", "monai"}) == set()


def test_the_engine_imports_no_more_than_a_prediction_needs() -> None:
    unneeded = {"scipy", "skimage", "lightning", "zarr"}
    assert loaded_after(importing([f"{NAME}.engine"]), unneeded) == set()


def test_the_package_itself_imports_nothing() -> None:
    heavy = {"torch", "qtpy", "napari", "numpy", "pydantic"}
    assert loaded_after(importing([NAME]), heavy) == set()


def test_public_names_are_there_and_none_but_those_of_the_engine_loads_torch() -> None:
    light = "from napari_unet_seg import Scan, TrainConfig, TrainStarted, DataError, read_scan"
    assert loaded_after(light, {"torch", "napari", "qtpy"}) == set()
    assert {"train", "predict", "Scan", "read_scan", "open_dataset"} <= {*napari_unet_seg.__all__}
    every = "import napari_unet_seg as n; [getattr(n, name) for name in n.__all__]"
    assert loaded_after(every, {"torch", "napari"}) == {"torch"}
