"""The open correction session in the window."""
