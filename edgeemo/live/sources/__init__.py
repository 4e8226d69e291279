"""Sources of frames: one module each, imported when a source of its kind is opened."""
