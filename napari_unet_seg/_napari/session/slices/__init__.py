"""The slices of the open session: the one on screen, decisions on them, and their changes."""
