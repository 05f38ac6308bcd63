"""Drawing on a mask with the mouse: the layer, the tool, and the borders that are redrawn."""
