"""What a layer carries: geometry, categories and colours, prediction, edits and undo."""
