"""Questions before a window or a dock is closed."""
