"""``edgeemo data``: capture, check, review, clean, split, crop and draw images. No TensorFlow."""

from edgeemo.cli.lazy import group

data = group(
    "data",
    "Capture, check, review, clean, split, crop or draw images.",
    ("capture", "check", "review", "clean", "split", "crop", "draw"),
    package=__name__,
)
