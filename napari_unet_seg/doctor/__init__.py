"""Report on the installation and the machine, without any patient's data."""
