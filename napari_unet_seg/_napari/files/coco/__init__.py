"""COCO files as layers, and back."""
