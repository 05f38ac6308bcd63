"""Segment brain MRI in napari with U-Nets: import, train, predict, correct, fine-tune."""

__version__ = "0.1.0"
