"""``edgeemo data capture``."""

from __future__ import annotations

import sys
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from edgeemo.cli.command import command
from edgeemo.cli.options.common import Json
from edgeemo.cli.output.console import note, print_facts, print_json, say
from edgeemo.utils.options import Argument, Option

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from edgeemo.live.capture import Capture, KeyInput

_CLEAR = "\r\x1b[K"


@dataclass(frozen=True, kw_only=True)
class CaptureArguments:
    """Options of ``edgeemo data capture``."""

    folder: Annotated[Path, Argument("Folder of the classes' folders.", metavar="DIR")]
    classes: Annotated[
        tuple[str, ...], Option("Names of the classes; each has a key.", metavar="A,B")
    ]
    source: Annotated[
        str,
        Option(
            "Camera or address, as of 'edgeemo live'.",
            metavar="SOURCE",
            default="the first camera that gives a frame",
        ),
    ] = ""
    size: Annotated[str, Option("Size of a camera's frames, in pixels.", metavar="WxH")] = "640x480"
    every: Annotated[
        float | None,
        Option(
            "Time between two images; without a terminal required, with one class.",
            metavar="SECONDS",
            minimum=0.05,
            default="0.5 s",
        ),
    ] = None
    seconds: Annotated[
        float | None,
        Option("Seconds after which to end.", above=0, default="until q or Ctrl-C"),
    ] = None
    json: Json = False


@command(
    "edgeemo data capture faces --classes happy,sad",
    "edgeemo data capture faces --classes happy --every 2 --seconds 60 < /dev/null",
)
def capture(given: CaptureArguments) -> None:
    """Take images from a camera into a folder per class.

    The key of a class takes images of it, one every half a second; the space bar pauses and
    resumes, q ends. Nothing that is in DIR is touched. Images that follow each other are much
    alike: 'edgeemo data check DIR' and training leave out those that are the same.
    """
    from edgeemo.live.capture import run_capture
    from edgeemo.live.controls import Controls
    from edgeemo.live.pace import PacedReader, PaceSettings
    from edgeemo.live.reader import FrameReader
    from edgeemo.live.sources.choose import choose_source
    from edgeemo.live.sources.settings import SourceSettings, parse_frame_size
    from edgeemo.live.stop import StopSignals

    session, keyboard = _prepare(given)
    settings = SourceSettings(size=parse_frame_size(given.size), note=note)
    source = choose_source(given.source, settings)
    controls = Controls()
    with ExitStack() as stack:
        stack.enter_context(StopSignals(controls))
        reader = stack.enter_context(FrameReader(source, report=say))
        note(f"source: {source.name}")
        pace = PaceSettings(seconds=given.seconds, is_live=source.is_live)
        keys = stack.enter_context(keyboard)
        stack.callback(_show, "", end="")
        run_capture(
            session,
            PacedReader(reader, pace, report=say),
            keys,
            controls=controls,
            show=_show,
        )
    _print(session, json=given.json)


def _prepare(given: CaptureArguments) -> tuple[Capture, AbstractContextManager[KeyInput]]:
    """Return the session and what gives its keys, once the options are known to be in order."""
    from edgeemo.errors import OptionError
    from edgeemo.live.capture import Capture, NoKeys, choose_keys
    from edgeemo.live.keyboard import Keyboard, has_keyboard
    from edgeemo.utils.files import check_writable

    keys = choose_keys(given.classes)
    is_attended = has_keyboard()
    if not is_attended and (given.every is None or len(keys) != 1):
        raise OptionError(
            "standard input is no terminal: without its keys, one class and --every are required"
        )
    check_writable(given.folder)
    session = Capture(folder=given.folder, keys=keys, every_s=given.every or 0.5)
    if not is_attended:
        session.press(next(iter(keys)))
    return session, Keyboard() if is_attended else nullcontext(NoKeys())


def _show(line: str, *, end: str = "") -> None:
    """Write the line that tells the keys and the counts over the last one, on a terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(f"{_CLEAR}{line}{end}")
        sys.stderr.flush()


def _print(session: Capture, *, json: bool) -> None:
    totals = {label: session.present[label] + count for label, count in session.taken.items()}
    if json:
        print_json({"folder": str(session.folder), "taken": session.taken, "images": totals})
        return
    facts = {
        label: f"{count:,} taken, {totals[label]:,} in all"
        for label, count in session.taken.items()
    }
    print_facts(facts, title=session.folder)
