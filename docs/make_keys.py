"""Write docs/reference/keys.md from the list of keys that the window itself follows.

python docs/make_keys.py
"""

from __future__ import annotations

from pathlib import Path

from napari_unet_seg._napari.widgets.key_table import keys_as_markdown

if __name__ == "__main__":
    page = Path(__file__).parent / "reference" / "keys.md"
    page.write_text(keys_as_markdown(), encoding="utf-8")
