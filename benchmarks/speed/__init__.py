"""How fast training, prediction, files and the window are."""
