"""From image files to augmented batches of pixels."""
