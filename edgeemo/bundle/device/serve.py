"""``python3 NAME.pyz serve``: a page and an HTTP interface for the model inside."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from edgeemo.bundle.device.live import (
    CONSOLE,
    WITHOUT,
    DeviceLiveOptions,
    make_loader,
    name_package_alone,
)
from edgeemo.errors import EXIT_OK, BundleError
from edgeemo.live.config import merge_options
from edgeemo.runtime.declared_options import add_declared_options, read_declared_options
from edgeemo.serve.options import NOT_SERVED, ServeOptions
from edgeemo.utils.extras import SERVING, list_missing_packages
from edgeemo.utils.options import Option
from edgeemo.utils.text import join_and, one_line

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from edgeemo.bundle.device.contents import Contents
    from edgeemo.serve.models import Models


@dataclass(frozen=True, kw_only=True)
class DeviceServeOptions(ServeOptions, DeviceLiveOptions):
    """Options of a bundle's ``serve``."""

    workers: Annotated[
        int | None,
        Option(
            "Images of clients predicted at the same time.",
            minimum=1,
            default="the cores, less one for a camera",
        ),
    ] = None


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_declared_options(parser, DeviceServeOptions, without=NOT_SERVED)


def merge(parsed: argparse.Namespace) -> DeviceServeOptions:
    """Return the options that the command line and the file of ``--config`` give.

    Raises:
        OptionError: If the file cannot be used.
    """
    given = read_declared_options(DeviceServeOptions, parsed)
    return merge_options(DeviceServeOptions, given, without=WITHOUT)


def run(
    contents: Contents, options: DeviceServeOptions, *, before_first: Callable[[], None]
) -> int:
    """Serve until a signal comes; see `edgeemo.serve.server.serve`.

    Args:
        contents: The bundle.
        options: The options.
        before_first: Called once the engine has run, before the source is opened.

    Returns:
        The exit status.

    Raises:
        BundleError: If a package of the server is not installed.
        MissingExtraError: If another one is not; the text names it alone.
    """
    serve = _import_server()
    load = make_loader(contents, options, before_first=before_first)

    def load_models() -> Models:
        from edgeemo.serve.models import Models

        return Models(load())

    with name_package_alone():
        serve(options, options, load_models, console=CONSOLE, workers=options.workers)
    return EXIT_OK


def _import_server() -> Callable[..., None]:
    """Return `edgeemo.serve.server.serve`, if the packages are installed and new enough."""
    missing = list_missing_packages(SERVING)
    pip = f"{shlex.quote(sys.executable or 'python3')} -m pip install"
    if missing:
        raise BundleError(
            f"'serve' needs {join_and(missing)}, which {'are' if missing[1:] else 'is'} not "
            f"installed: {pip} {' '.join(missing)}"
        )
    try:
        from edgeemo.serve.server import serve
    except ImportError as error:  # from a package that is older, such as Debian's
        packages = " ".join(SERVING).replace("_", "-")
        raise BundleError(f"'serve': {one_line(error)}: {pip} --upgrade {packages}") from None
    return serve
