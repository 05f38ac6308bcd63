"""The report on the installation, in the window."""
