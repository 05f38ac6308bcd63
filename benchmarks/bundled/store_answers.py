"""Stores the answers of the bundled models, which `napari-unet-seg doctor` compares with.

Run as `python -m benchmarks.bundled.store_answers` after a bundled model has changed; `--smoke`
computes the answers without storing them.
"""

from __future__ import annotations

import argparse
import json

from napari_unet_seg.doctor.model_check import ANSWERS, answers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true")
    chosen = parser.parse_args()
    text = json.dumps(answers(), indent=1) + "\n"
    if not chosen.smoke:
        ANSWERS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
