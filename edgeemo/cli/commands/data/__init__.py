"""``edgeemo data``: check, review, clean, split, crop and draw images. No TensorFlow."""

from edgeemo.cli.lazy import group

data = group(
    "data",
    "Check, review, clean, split, crop or draw images.",
    ("check", "review", "clean", "split", "crop", "draw"),
    package=__name__,
)
