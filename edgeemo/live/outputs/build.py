"""From the options of a live run to its outputs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.errors import OptionError
from edgeemo.live.outputs.clock import Clock
from edgeemo.live.outputs.fan_out import FanOut
from edgeemo.live.outputs.lines import LineWriter
from edgeemo.utils.system import host_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

    from edgeemo.live.options import LiveOptions
    from edgeemo.live.outputs.base import Output
    from edgeemo.live.outputs.images import FrameImages
    from edgeemo.live.outputs.text import StatusLine
    from edgeemo.model.spec import ModelSpec


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """What outputs need to know of a run.

    Attributes:
        spec: The model's specification.
        source: Name of the source, without a password.
        is_live: Whether the source is live.
        stdout: Receives the printed lines.
        stderr: Receives the line that tells how it runs, where it is a terminal.
        report: Receives one line about an output that fails.
        prints: Whether lines are printed at all.
    """

    spec: ModelSpec
    source: str
    is_live: bool
    stdout: TextIO
    stderr: TextIO
    report: Callable[[str], None]
    prints: bool = True


def build_outputs(options: LiveOptions, run: RunFacts, *others: Output) -> FanOut:
    """Build the outputs that are requested.

    Call `edgeemo.live.outputs.check.check_outputs` first, before anything slow.

    Args:
        options: The options.
        run: The run.
        others: More outputs, behind those that print.

    Raises:
        OptionError: If an output cannot be had with this model.
        OSError: If a file cannot be written.
    """
    if options.blur and run.spec.faces is None:
        raise OptionError("--blur requires a model that detects faces, or --faces")
    builder = _Builder(options, run)
    return FanOut([*builder.build(), *others], report=builder.report)


class _Builder:
    def __init__(self, options: LiveOptions, run: RunFacts) -> None:
        self._options, self._run = options, run
        self._clock = Clock(is_live=run.is_live)
        self._status = self._make_status()
        self._camera = options.name or host_name()

    def build(self) -> Iterator[Output]:
        """Yield the outputs, those that print first."""
        if self._run.prints:
            yield from self._make_printers()
        yield from self._make_senders()
        yield from self._make_image_files()
        if self._options.html is not None:
            yield self._make_page(self._options.html)

    def report(self, text: str) -> None:
        """Report a line in the place of the one that tells how it runs."""
        if self._status:
            self._status.clear()
        self._run.report(text)

    @cached_property
    def _images(self) -> FrameImages:
        from edgeemo.live.outputs.images import FrameImages

        return FrameImages()

    @property
    def _format(self) -> str:
        return "jsonl" if self._options.json else self._options.format.value

    def _make_status(self) -> StatusLine | None:
        shows = self._run.prints and self._format == "text"
        if not shows or not self._run.stderr.isatty():
            return None
        from edgeemo.live.outputs.text import StatusLine

        return StatusLine(self._run.stderr, self._clock)

    def _make_printers(self) -> Iterator[Output]:
        lines = LineWriter(self._run.stdout, waits=not self._run.is_live, report=self.report)
        if self._format == "text" and not self._run.is_live:
            from edgeemo.live.outputs.report import SummaryText
            from edgeemo.utils.layout import get_width

            width = get_width(self._run.stdout)
            yield SummaryText(lines, self._run.spec, width=width)
        yield self._make_printer(lines)

    def _make_printer(self, lines: LineWriter) -> Output:
        run, events = self._run, self._options.events
        if self._format == "jsonl":
            from edgeemo.live.outputs.jsonl import EventLines, FrameLines

            return (EventLines if events else FrameLines)(lines, self._clock)
        if self._format == "csv":
            from edgeemo.live.outputs.csv_lines import EventRows, FrameRows

            return (EventRows if events else FrameRows)(lines, self._clock, run.spec.labels)
        from edgeemo.live.outputs.text import EventText

        return EventText(lines, self._clock, self._status)

    def _make_page(self, path: Path) -> Output:
        from edgeemo.live.outputs.examples import Examples
        from edgeemo.live.outputs.report import TimeLinePage

        run, options = self._run, self._options
        examples = None
        if not options.no_images:
            examples = Examples(run.spec, self._images, blur=options.blur, waits=not run.is_live)
        return TimeLinePage(path, run.spec, source=run.source, examples=examples, clock=self._clock)

    def _make_senders(self) -> Iterator[Output]:
        if self._options.on_change is not None:
            from edgeemo.live.outputs.command import OnChange, split_command

            command = split_command(self._options.on_change)
            yield OnChange(command, self._clock, camera=self._camera, report=self.report)
        if self._options.webhook is not None:
            from edgeemo.live.outputs.webhook import Webhook, parse_webhook

            address = parse_webhook(self._options.webhook)
            yield Webhook(address, self._clock, camera=self._camera, report=self.report)

    def _make_image_files(self) -> Iterator[Output]:
        if self._options.annotate is not None:
            from edgeemo.live.outputs.annotated import AnnotatedVideo

            yield AnnotatedVideo(
                self._options.annotate,
                self._images,
                is_live=self._run.is_live,
                blur=self._options.blur,
                report=self.report,
            )
        if self._options.clips is not None:
            yield self._make_clips(self._options.clips)
        if self._options.collect is not None:
            from edgeemo.live.outputs.collect import Collector

            yield Collector(
                self._options.collect,
                self._run.spec,
                self._images,
                self._clock,
                report=self.report,
            )

    def _make_clips(self, path: Path) -> Output:
        from edgeemo.live.outputs.check import parse_size
        from edgeemo.live.outputs.clip_folder import ClipFolder
        from edgeemo.live.outputs.clips import Clips, ClipSettings

        keep = parse_size(self._options.keep, "--keep")
        folder = ClipFolder(path, keep_bytes=keep, report=self.report)
        name = self._options.name or ("" if self._run.is_live else Path(self._run.source).stem)
        settings = ClipSettings(
            around_s=self._options.clip or 0.0,
            blur=self._options.blur,
            prefix=f"{name}_" if name else "",
        )
        return Clips(folder, self._images, self._clock, settings, report=self.report)
