"""Names of image files: which files of a folder are read, and which are passed over.

Standard library only.
"""

from __future__ import annotations

from edgeemo.utils.text import escape_controls, plural

SUFFIXES = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".jif": "JPEG",
    ".pjpeg": "JPEG",
    ".pjp": "JPEG",
    ".mpo": "JPEG",
    ".png": "PNG",
    ".apng": "PNG",
    ".bmp": "BMP",
    ".dib": "BMP",
    ".webp": "WEBP",
    ".gif": "GIF",
}
"""Suffixes, in lower case, of image files that can be read, and the format that each stands for."""

VIDEO_SUFFIXES = (
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".m2v", ".ts", ".mts",
    ".m2ts", ".wmv", ".asf", ".flv", ".3gp", ".3g2", ".ogv", ".mjpg", ".mjpeg", ".h264", ".264",
    ".h265", ".265", ".hevc", ".ivf", ".vob", ".mxf", ".dv",
)  # fmt: skip
"""Suffixes, in lower case, of files that are taken for videos when they are named."""

SCHEMES = ("s3://", "gs://")
"""How addresses in buckets begin."""

_DESKTOP_FILES = ("thumbs.db", "desktop.ini", "__macosx")
_SHOWN = 6
"""Number of suffixes that a message lists."""
_LONGEST = 12
"""Length of the longest suffix that is one, with its dot."""


def format_by_name(name: str) -> str | None:
    """Return the format that the suffix of a file's name or path stands for; None if unknown."""
    return SUFFIXES.get(_find_suffix(name))


def is_bucket(source: object) -> bool:
    """Return whether this is an address in a bucket as text, and no path of this machine."""
    return isinstance(source, str) and source.startswith(SCHEMES)


def is_video(name: str) -> bool:
    """Return whether the suffix of a file's name or path is that of a video."""
    return _find_suffix(name) in VIDEO_SUFFIXES


def is_ignored(name: str) -> bool:
    """Return whether a file or folder of that name is hidden or created by a desktop."""
    return name.startswith(".") or name.lower() in _DESKTOP_FILES


class PassedOver:
    """Counts the files of folders that are no images by their names."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def add(self, name: str) -> None:
        """Count a file, unless it is ignored anyway."""
        if not is_ignored(name):
            suffix = _find_suffix(name)
            self._counts[suffix] = self._counts.get(suffix, 0) + 1

    def describe(self) -> str:
        """Return the number of files with their suffixes, the most first; "" for none."""
        counts = self._counts
        if not counts:
            return ""
        ordered = sorted(counts, key=lambda suffix: (-counts[suffix], suffix))
        shown = [f"{counts[each]:,} {escape_controls(each or 'no suffix')}" for each in ordered]
        listed = ", ".join(shown[:_SHOWN]) + (", ..." if len(shown) > _SHOWN else "")
        files = plural(sum(counts.values()), "other file")
        return f"{files} passed over ({listed}): JPEG, PNG, BMP, WebP and GIF are read"


def _find_suffix(name: str) -> str:
    base = name.replace("\\", "/").rpartition("/")[2]
    stem, dot, suffix = base.rpartition(".")
    return f".{suffix.lower()}" if stem and dot and len(suffix) < _LONGEST else ""
