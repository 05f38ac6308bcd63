"""The napari front end: the only place that imports napari, qtpy, magicgui, superqt or pyqtgraph."""
