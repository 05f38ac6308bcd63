"""Segment brain MRI in napari with U-Nets: import, train, predict, correct, fine-tune.

The public names stand in `__init__.pyi`; each is loaded when it is first used, so that neither
torch nor napari comes along with the package.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
