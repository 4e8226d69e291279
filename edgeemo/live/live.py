"""A live run from its options, the same for ``edgeemo live`` and for a bundle."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edgeemo.errors import EXIT_ERROR, EXIT_OK
from edgeemo.live.config import find_readable_password
from edgeemo.live.controls import Controls
from edgeemo.live.notify import ServiceNotifier
from edgeemo.live.outputs.fan_out import CLOSE_S
from edgeemo.live.outputs.tally import Tally
from edgeemo.live.pace import PacedReader, PaceSettings
from edgeemo.live.sources.settings import SourceSettings, parse_frame_size
from edgeemo.live.stop import StopSignals
from edgeemo.utils.extras import require_packages_of_options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from edgeemo.live.options import LiveOptions
    from edgeemo.live.outputs.base import Output
    from edgeemo.live.outputs.fan_out import FanOut
    from edgeemo.live.pipeline import PipelineSettings
    from edgeemo.live.reader import FrameReader
    from edgeemo.live.sources.base import Source
    from edgeemo.runtime.classifier import Classifier


@dataclass(frozen=True, kw_only=True)
class Console:
    """Functions that print a line each to standard error.

    Attributes:
        report: Prints a warning, an error of one output, or that a source is lost or back.
        note: Prints what --quiet drops.
    """

    report: Callable[[str], None]
    note: Callable[[str], None]


def run_live(options: LiveOptions, load: Callable[[], Classifier], *, console: Console) -> int:
    """Predict the frames of a source until it ends, the time is up, or a signal comes.

    Everything is checked in the order of its cost: options, packages, the source's name, the
    model, the source.

    Args:
        options: The options.
        load: Loads the model, which is called for once all options are known to be in order.
        console: Receives what is printed.

    Returns:
        The exit status: 0, also of a live source that Ctrl-C or SIGTERM ended; 1 where no frame
        was predicted, some of a file could not be, or an output failed; 130 or 143 where a signal
        ended a file early.

    Raises:
        OptionError: If an option cannot be used.
        MissingExtraError: If a package is not installed.
        EdgeEmoError: From `load`.
        SourceError: If the source cannot be opened, or is lost for good.
    """
    source = prepare_source(options, note=console.note)
    if exposed := find_readable_password(options):
        console.report(f"warning: {exposed}")
    controls = Controls(min_confidence=options.min_confidence)
    run = _Run(options, source, classifier=load(), controls=controls, console=console)
    with StopSignals(controls) as signals:
        try:
            status = run.run(signals)
        except KeyboardInterrupt:  # what it was about took too long
            if signals.number is None:
                raise
            status = EXIT_OK
        is_normal_end = source.is_live and run.is_open and status == EXIT_OK
        return status if signals.number is None or is_normal_end else 128 + signals.number


def prepare_source(options: LiveOptions, *, note: Callable[[str], object] | None = None) -> Source:
    """Check the options, and return the source that they name; it is not opened.

    Args:
        options: The options.
        note: Receives a line about what was chosen, such as a camera's format; None for nobody.

    Raises:
        OptionError: If an option cannot be used.
        MissingExtraError: If a package is not installed.
        SourceError: If there is no such source.
    """
    from edgeemo.live.outputs.check import check_outputs
    from edgeemo.live.sources.choose import choose_source

    check_outputs(options)
    require_packages_of_options(options)
    settings = replace(make_source_settings(options), note=note)
    source = choose_source(options.source, settings)
    if options.mqtt:
        from edgeemo.live.outputs.mqtt_address import MqttAddress

        MqttAddress.parse(options.mqtt)
    if options.mask or options.region:
        from edgeemo.live.privacy import mask_source

        source = mask_source(source, options)
    return source


def run_source(
    options: LiveOptions,
    source: Source,
    classifier: Classifier,
    *,
    controls: Controls,
    console: Console,
    others: Callable[[], Iterable[Output]],
) -> int:
    """Predict the frames of a source in any thread; nothing is printed to standard output.

    Args:
        options: The options.
        source: The source, of `prepare_source`.
        classifier: The model.
        controls: Requests of other threads; they end the run, too.
        console: Receives warnings.
        others: Returns outputs besides those of the options; called when the source is open.

    Returns:
        The exit status, as of `run_live`.

    Raises:
        SourceError: If the source cannot be opened, or is lost for good.
    """
    run = _Run(
        options,
        source,
        classifier=classifier,
        controls=controls,
        console=console,
        others=others,
    )
    return run.run(StopSignals(controls))


def make_source_settings(options: LiveOptions) -> SourceSettings:
    """Return the settings of the source that options name.

    Raises:
        OptionError: If the size is not one.
    """
    return SourceSettings(
        size=parse_frame_size(options.size),
        fps=options.fps,
        real_time=options.real_time,
        watch=options.watch,
    )


class _Run:
    """One run: the source is opened, observed, and everything is closed.

    Attributes:
        is_open: Whether the source could be opened.
    """

    def __init__(
        self,
        options: LiveOptions,
        source: Source,
        *,
        classifier: Classifier,
        controls: Controls,
        console: Console,
        others: Callable[[], Iterable[Output]] | None = None,
    ) -> None:
        self._options, self._source, self._classifier = options, source, classifier
        self._controls, self._console, self._others = controls, console, others
        self._tally = Tally()
        self.is_open = False
        self._service = ServiceNotifier.from_environment()

    def run(self, signals: StopSignals) -> int:
        """Run until the end; return the exit status."""
        from edgeemo.live.loop import run_loop
        from edgeemo.live.pipeline import Pipeline
        from edgeemo.live.reader import FrameReader

        with ExitStack() as stack:
            pipeline = Pipeline(self._classifier, self._make_pipeline_settings())
            reader = stack.enter_context(FrameReader(self._source, report=self._console.report))
            self.is_open = True
            self._console.note(f"source: {self._source.name}")
            output = self._build_outputs()
            stack.callback(lambda: output.close(wait_s=self._find_patience(signals)))
            self._service.ready(self._source.name)
            stack.callback(signals.allow_time, CLOSE_S + 1)
            stack.callback(self._service.stopping)
            run_loop(self._pace(reader), pipeline, output, controls=self._controls)
        return EXIT_ERROR if output.failed else self._find_status(signals.number is not None)

    def _make_pipeline_settings(self) -> PipelineSettings:
        from edgeemo.live.pipeline import PipelineSettings

        gate = self._options.motion_gate
        return PipelineSettings(
            steady_s=self._options.steady,
            motion_gate=self._source.is_device if gate is None else gate,
        )

    def _build_outputs(self) -> FanOut:
        from edgeemo.live.outputs.build import RunFacts, build_outputs

        run = RunFacts(
            spec=self._classifier.spec,
            source=self._source.name,
            is_live=self._source.is_live,
            stdout=sys.stdout,
            stderr=sys.stderr,
            report=self._console.report,
            prints=self._others is None,
        )
        others = self._others() if self._others else ()
        return build_outputs(self._options, run, *others, *self._connect_broker(), self._tally)

    def _connect_broker(self) -> Iterator[Output]:
        if self._options.mqtt:
            from edgeemo.live.outputs.clock import Clock
            from edgeemo.live.outputs.mqtt import MqttOutput
            from edgeemo.live.outputs.mqtt_address import MqttAddress
            from edgeemo.utils.system import host_name

            yield MqttOutput(
                MqttAddress.parse(self._options.mqtt),
                name=self._options.name or host_name(),
                spec=self._classifier.spec,
                clock=Clock(is_live=self._source.is_live),
                controls=self._controls,
                report=self._console.report,
            )

    def _find_patience(self, signals: StopSignals) -> float | None:
        """Return how long outputs may take to close; of a file that has ended all they need."""
        return CLOSE_S if self._source.is_live or signals.number is not None else None

    def _find_status(self, is_stopped: bool) -> int:
        """Return the exit status of a run that no error ended and whose outputs are complete."""
        tally = self._tally
        is_empty = tally.predicted == 0 and not is_stopped
        if is_empty and self._source.is_live and self._options.seconds and not tally.failed:
            self._console.note(f"{self._source.name}: no frame came in that time")
        elif is_empty:
            self._console.report(f"error: {self._source.name}: no frame was predicted")
            return EXIT_ERROR
        return EXIT_ERROR if tally.failed and not self._source.is_live else EXIT_OK

    def _pace(self, reader: FrameReader) -> PacedReader:
        options = self._options
        settings = PaceSettings(
            max_fps=options.max_fps,
            max_temp=options.max_temp,
            seconds=options.seconds,
            is_live=self._source.is_live,
        )

        def feed_watchdog() -> None:
            if not reader.is_stuck:  # it gives frames, or is opened again
                self._service.feed()

        return PacedReader(reader, settings, report=self._console.report, on_round=feed_watchdog)
