"""``edgeemo data``: check, clean, split, crop and draw images. No TensorFlow."""

from edgeemo.cli.lazy import group

data = group(
    "data",
    "Check, clean, split, crop or draw images.",
    ("check", "clean", "split", "crop", "draw"),
    package=__name__,
)
