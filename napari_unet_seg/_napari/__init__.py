"""The napari front end: only here are napari, qtpy, magicgui and pyqtgraph imported."""
