"""Forms and their fields: editors of a configuration, a path, a number, a layer."""
