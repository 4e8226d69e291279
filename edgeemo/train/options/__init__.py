"""The options of a training."""
