"""A model on disk: spec, container, folder and records."""
