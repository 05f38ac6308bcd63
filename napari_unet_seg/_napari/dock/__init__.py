"""The dock of the loop: open, segment, correct, save."""
