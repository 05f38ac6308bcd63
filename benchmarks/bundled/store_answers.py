"""Stores the answers of the bundled models, which `napari-unet-seg doctor` compares with.

Run as `python benchmarks/bundled/store_answers.py` after a bundled model has changed.
"""

from __future__ import annotations

import json

from napari_unet_seg.doctor.model_check import ANSWERS, answers


def main() -> None:
    ANSWERS.write_text(json.dumps(answers(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
