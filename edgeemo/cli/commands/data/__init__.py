"""``edgeemo data``: check, review, clean, split, crop, draw and capture images. No TensorFlow."""

from edgeemo.cli.lazy import group

data = group(
    "data",
    "Check, review, clean, split, crop, draw or capture images.",
    ("check", "review", "clean", "split", "crop", "draw", "capture"),
    package=__name__,
)
