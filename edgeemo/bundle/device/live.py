"""``python3 NAME.pyz live``: predict the frames of a camera or a video."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from edgeemo.bundle.device.load import load_classifier, try_engine
from edgeemo.errors import EXIT_OK, MissingExtraError
from edgeemo.live.config import merge_options
from edgeemo.live.live import Console, run_live
from edgeemo.live.options import LiveOptions
from edgeemo.runtime.declared_options import add_declared_options, read_declared_options
from edgeemo.utils.command import write_error
from edgeemo.utils.options import Option
from edgeemo.utils.text import escape_controls

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from edgeemo.bundle.device.contents import Contents
    from edgeemo.runtime.classifier import Classifier


WITHOUT = ("html",)
"""Options that a bundle does not have: a page needs files that it does not hold."""


@dataclass(frozen=True, kw_only=True)
class DeviceLiveOptions(LiveOptions):
    """Options of a bundle's ``live``."""

    threads: Annotated[
        int | None, Option("Threads per prediction.", minimum=1, default="as bundled")
    ] = None
    faces: Annotated[
        bool | None, Option("Find faces and predict each of them.", default="as bundled")
    ] = None


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_declared_options(parser, DeviceLiveOptions, without=WITHOUT)


def merge(parsed: argparse.Namespace) -> DeviceLiveOptions:
    """Return the options that the command line and the file of ``--config`` give.

    Raises:
        OptionError: If the file cannot be used.
    """
    given = read_declared_options(DeviceLiveOptions, parsed)
    return merge_options(DeviceLiveOptions, given, without=WITHOUT)


def run(contents: Contents, options: DeviceLiveOptions, *, before_first: Callable[[], None]) -> int:
    """Predict frames until the source ends; see `edgeemo.live.live.run_live`.

    Args:
        contents: The bundle.
        options: The options.
        before_first: Called once the engine has run, before the source is opened.

    Returns:
        The exit status.

    Raises:
        MissingExtraError: If a package is not installed; the text names it alone, since no edgeemo
            is installed here.
    """
    if options.list:
        from edgeemo.live.sources.listing import list_cameras
        from edgeemo.live.sources.listing_text import show_cameras

        show_cameras(list_cameras(), as_json=options.json, echo=_echo, note=_say)
        return EXIT_OK
    load = make_loader(contents, options, before_first=before_first)
    with name_package_alone():
        return run_live(options, load, console=CONSOLE)


def make_loader(
    contents: Contents, options: DeviceLiveOptions, *, before_first: Callable[[], None]
) -> Callable[[], Classifier]:
    """Return the function that loads the model and runs its engine once; see `run`."""

    def load() -> Classifier:
        classifier = load_classifier(contents, threads=options.threads, faces=options.faces)
        try_engine(classifier)  # before anything is written or sent
        before_first()
        return classifier

    return load


@contextmanager
def name_package_alone() -> Iterator[None]:
    """Name a missing package without the extra of edgeemo, which is not installed here."""
    try:
        yield
    except MissingExtraError as error:
        raise MissingExtraError(error.package, purpose=error.purpose) from None


def _echo(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _say(line: str) -> None:
    write_error(escape_controls(line))


CONSOLE = Console(report=_say, note=_say)
"""It prints to standard error."""
