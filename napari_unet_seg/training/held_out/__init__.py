"""The held-out samples of a training: validation, and which weights it keeps as the best."""
