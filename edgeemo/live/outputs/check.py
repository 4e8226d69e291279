"""Checks of the options of outputs, before a model is loaded or a camera opened."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.errors import OptionError

if TYPE_CHECKING:
    from edgeemo.live.options import LiveOptions

VIDEO_SUFFIXES = (".mp4", ".mkv")
_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]B)", re.IGNORECASE)


def check_outputs(options: LiveOptions) -> None:
    """Check that the options of outputs agree with each other and can be followed.

    Raises:
        OptionError: If not; the text states the rule.
        OSError: If a file or folder cannot be written.
        MissingExtraError: If an output needs a package that is not installed.
    """
    for is_broken, rule in _rules(options):
        if is_broken:
            raise OptionError(rule)
    parse_size(options.keep, "--keep")
    if options.mask or options.region:
        from edgeemo.live.privacy import parse_mask

        parse_mask(options.mask, options.region)
    if options.on_change is not None:
        from edgeemo.live.outputs.command import split_command

        split_command(options.on_change)
    if options.webhook is not None:
        from edgeemo.live.outputs.webhook import parse_webhook

        parse_webhook(options.webhook)
    _check_places(options)


def parse_size(text: str, flag: str) -> int:
    """Return a size, such as "500MB" or "1GB", in bytes (powers of 1000).

    Args:
        text: The size.
        flag: The option, for the message.

    Raises:
        OptionError: If it is none.
    """
    found = _SIZE.fullmatch(text.strip())
    size = round(float(found[1]) * _UNITS[found[2].upper()]) if found else 0
    if not size:
        raise OptionError(f"{flag} takes a size such as 500MB or 1GB, not {text!r}")
    return size


def _rules(options: LiveOptions) -> tuple[tuple[bool, str], ...]:
    images = {
        "--annotate": options.annotate, "--clips": options.clips, "--collect": options.collect
    }  # fmt: skip
    first = next((flag for flag, value in images.items() if value is not None), "")
    video = options.annotate
    suffix = video.suffix.lower() if video is not None else VIDEO_SUFFIXES[0]
    return (
        (options.clip is not None and options.clips is None, "--clip requires --clips DIR"),
        (options.clips is not None and options.clip is None, "--clips requires --clip SECONDS"),
        (options.no_images and bool(first), f"--no-images excludes {first}"),
        (
            options.blur and options.collect is not None,
            "--blur excludes --collect: a model learns nothing from pixelated faces",
        ),
        (suffix not in VIDEO_SUFFIXES, f"--annotate takes a name in .mp4 or .mkv, not {video}"),
    )


def _check_places(options: LiveOptions) -> None:
    for file, flag in ((options.annotate, "--annotate"), (options.html, "--html")):
        if file is not None:
            _check_file(file, flag, options.source)
    for folder, flag in ((options.clips, "--clips"), (options.collect, "--collect")):
        if folder is not None and folder.exists() and not folder.is_dir():
            raise OptionError(f"{flag}: {folder} is a file, not a folder")
    for place in (options.annotate, options.html, options.clips, options.collect):
        if place is not None:
            from edgeemo.utils.files import check_writable

            check_writable(place.parent if place.is_file() else place)
    _check_packages(options)


def _check_file(file: Path, flag: str, source: str) -> None:
    if (file.exists() and not file.is_file()) or not file.parent.is_dir():
        raise OptionError(f"{flag}: {file} is not a file in a folder")
    if file.exists() and Path(source).exists() and file.samefile(source):
        raise OptionError(f"{flag}: {file} is the source itself, which would be overwritten")


def _check_packages(options: LiveOptions) -> None:
    if options.annotate is not None or options.clips is not None:
        from edgeemo.live.libav import load_av

        load_av("writing video")
    if options.html is not None:
        from edgeemo.report.html import check_installed

        check_installed()
