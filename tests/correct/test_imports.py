from __future__ import annotations

import subprocess
import sys

HEAVY = ("torch", "qtpy", "napari", "skimage", "scipy.ndimage")


def test_importing_loads_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from napari_unet_seg.correct import prompt_marks, prompts\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert loaded.stdout.decode().strip() == "[]"
