"""Files made to hurt."""
