"""Files and folders on disk: written whole, and never over a change that was not seen."""
