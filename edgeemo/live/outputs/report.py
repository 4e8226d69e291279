"""The end of a run: the summary of a file as text, and the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.live.outputs.summary import Summary

if TYPE_CHECKING:
    from pathlib import Path

    from edgeemo.live.observation import Event, Observation
    from edgeemo.live.outputs.clock import Clock
    from edgeemo.live.outputs.examples import Examples
    from edgeemo.live.outputs.lines import LineWriter
    from edgeemo.model.spec import ModelSpec

_CLOSE_S = 0.3


class SummaryText:
    """Prints the summary of a file at its end.

    Args:
        lines: Writes the lines.
        spec: The model's specification.
        width: Number of columns to write in; None for any.
    """

    name = "standard output"

    def __init__(self, lines: LineWriter, spec: ModelSpec, *, width: int | None) -> None:
        self._lines, self._spec, self._width = lines, spec, width
        self._summary = Summary()

    def add_observation(self, seen: Observation) -> None:
        """See `edgeemo.live.outputs.base.Output.add_observation`."""
        self._summary.add_observation(seen)

    def add_event(self, event: Event) -> None:
        """See `edgeemo.live.outputs.base.Output.add_event`."""
        self._summary.add_event(event)

    def close(self) -> None:
        """See `edgeemo.live.outputs.base.Output.close`."""
        from edgeemo.live.outputs.summary_text import summarize

        for line in summarize(self._summary, self._spec.labels, width=self._width):
            self._lines.write(line)


class TimeLinePage:
    """Writes a page with the time line at the end.

    Args:
        path: The file.
        spec: The model's specification.
        source: Name of the source, without a password.
        examples: Keeps examples of the faces; None for none.
        clock: The meaning of times.
    """

    def __init__(
        self,
        path: Path,
        spec: ModelSpec,
        *,
        source: str,
        examples: Examples | None,
        clock: Clock,
    ) -> None:
        self.name = str(path)
        self._path, self._spec, self._source = path, spec, source
        self._examples, self._clock = examples, clock
        self._summary = Summary()

    def add_observation(self, seen: Observation) -> None:
        """See `edgeemo.live.outputs.base.Output.add_observation`."""
        self._summary.add_observation(seen)
        if self._examples is not None:
            self._examples.add(seen)

    def add_event(self, event: Event) -> None:
        """See `edgeemo.live.outputs.base.Output.add_event`."""
        self._summary.add_event(event)

    def close(self) -> None:
        """See `edgeemo.live.outputs.base.Output.close`."""
        from edgeemo.live.outputs.page import make_page
        from edgeemo.report.html import to_html
        from edgeemo.utils.files import write_file

        wait_s = _CLOSE_S if self._clock.is_live else None
        examples = self._examples.take(wait_s) if self._examples is not None else {}
        page = make_page(
            self._summary,
            self._spec.labels,
            source=self._source,
            examples=dict(examples),
            began=self._clock.to_date(self._summary.start_s),
        )
        write_file(self._path, to_html(page))
