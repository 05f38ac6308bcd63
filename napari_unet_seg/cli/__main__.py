"""`python -m napari_unet_seg.cli`, where the program's folder is not on the search path."""

from __future__ import annotations

import sys

from napari_unet_seg.cli import main

if __name__ == "__main__":
    sys.exit(main())
