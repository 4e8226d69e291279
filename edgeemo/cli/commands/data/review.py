"""``edgeemo data review``."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeemo.cli.command import command
from edgeemo.cli.options.data import SourceArguments
from edgeemo.cli.output.console import note, print_facts, print_json, say
from edgeemo.cli.output.progress import progress
from edgeemo.utils.interrupt import interrupt_status
from edgeemo.utils.options import Option

if TYPE_CHECKING:
    from edgeemo.dataset.review import ReviewSession

_TERMINATED = 143


@dataclass(frozen=True, kw_only=True)
class ReviewArguments(SourceArguments):
    """Options of ``edgeemo data review``."""

    out: Annotated[
        Path | None,
        Option(
            "Table of the decisions to write, or to continue.",
            metavar="FILE.csv",
            default="NAME-review.csv beside the images",
        ),
    ] = None
    port: Annotated[
        int,
        Option("Port of the page on this machine; 0 takes a free one.", minimum=0, maximum=65_535),
    ] = 0
    browser: Annotated[
        bool | None, Option("Open the page in the browser.", default="if there is one")
    ] = None


@command(
    "edgeemo data review faces",
    "edgeemo data review faces --no-browser --port 8765",
    "edgeemo train --data faces --review faces-review.csv",
)
def review(given: ReviewArguments) -> None:
    """Decide in the browser which labels are right and which images to leave out.

    The page shows the images that 'edgeemo data check' finds: in two classes, with a suspicious
    label, odd, or nearly the same as another. Every decision is written at once into a table that
    'edgeemo data clean', 'edgeemo data split' and 'edgeemo train' obey with --review; nothing in
    the folder is touched. Started again, the review continues where it stopped. The page is for
    this machine only, and its address holds a secret.
    """
    from edgeemo.dataset import open_data
    from edgeemo.dataset.review import prepare_review
    from edgeemo.utils.locks import hold

    given.check_selection()
    table = _choose_table(given)
    with open_data(given.source) as folder, hold(given.source):
        with progress() as shown:
            session = prepare_review(
                folder,
                table=table,
                classes=given.classes,
                accept=given.accept,
                progress=shown,
            )
        interrupted = _serve(given, session) if session.items else False
        _print_review(given, session)
    if interrupted and interrupt_status() == _TERMINATED:
        raise typer.Exit(_TERMINATED)


def _choose_table(given: ReviewArguments) -> Path:
    """Return the table to write, checked before any slow work."""
    from edgeemo.dataset import check_source, read_decisions
    from edgeemo.utils.extras import IMAGES, require_packages
    from edgeemo.utils.files import check_writable

    require_packages(IMAGES, purpose="preparing images")
    check_source(given.source)
    source = given.source.resolve()
    named = given.source if given.source.name not in ("", "..") else source
    name = named.stem if source.is_file() else named.name
    table = given.out or named.parent / f"{name}-review.csv"
    if source.is_dir() and table.resolve().is_relative_to(source):
        raise typer.BadParameter(
            f"{table} is inside {given.source}, which is not touched", param_hint="--out"
        )
    if table.is_dir() or not table.parent.is_dir():
        raise typer.BadParameter(f"{table} is not a file in a folder", param_hint="--out")
    if table.exists():
        read_decisions(table)
    check_writable(table.parent)
    return table


def _serve(given: ReviewArguments, session: ReviewSession) -> bool:
    """Serve the page until the person ends it, and return whether by an interrupt."""
    from edgeemo.dataset.review import serve_review

    def show(url: str) -> None:
        say(f"review: {url}")
        note(f"{_count(session)}; Ctrl-C ends the review, which continues when started again")
        if given.browser is not False and not _open_browser(url):
            note("no browser was opened: open the address yourself")

    try:
        serve_review(session, port=given.port, opened=show)
    except KeyboardInterrupt:
        return True
    return False


def _count(session: ReviewSession) -> str:
    return f"{session.decided:,} of {len(session.items):,} images are decided"


def _open_browser(url: str) -> bool:
    """Open a page in a graphical browser, and return whether there is one."""
    import webbrowser

    if sys.platform == "linux" and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return False  # a browser in the terminal would take it over
    try:
        return webbrowser.open(url)
    except (OSError, webbrowser.Error):
        return False


def _print_review(given: ReviewArguments, session: ReviewSession) -> None:
    decisions = session.decisions
    if given.json:
        counts = {"images": len(session.items), "decided": session.decided}
        print_json({"table": decisions.file, **counts, **decisions.counts})
        return
    names = {"keep": "kept", "relabel": "relabelled", "exclude": "excluded"}
    facts = {names[name]: f"{count:,}" for name, count in decisions.counts.items()}
    left = len(session.items) - session.decided
    print_facts({"table": decisions.file, **facts, "left": f"{left:,}"}, title=given.source)
    if not session.items:
        note("nothing to review")
    if decisions.rows:
        note(f"next: edgeemo train --data {given.source} --review {decisions.file}")
