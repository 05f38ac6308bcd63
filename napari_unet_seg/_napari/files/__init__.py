"""Opening files in napari and writing masks from it."""
