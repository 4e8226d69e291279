"""The live run of a source in a thread, which begins again for as long as the server runs."""

from __future__ import annotations

import time
from threading import Event, Thread
from typing import TYPE_CHECKING

from edgeemo.live.live import run_source
from edgeemo.utils.text import one_line

if TYPE_CHECKING:
    from edgeemo.live.controls import Controls
    from edgeemo.live.live import Console
    from edgeemo.live.options import LiveOptions
    from edgeemo.live.outputs.base import Output
    from edgeemo.live.sources.base import Source
    from edgeemo.serve.hub import Hub
    from edgeemo.serve.models import Models

_RETRY_S = 2.0
"""Seconds until a source that was lost for good is opened again."""


class Camera:
    """A live run in a thread of its own.

    Args:
        options: Options of the run.
        source: The source.
        models: The model, which may change.
        hub: The output that knows what was seen last.
        controls: Requests to the loop.
        console: Receives lines about the source.
    """

    def __init__(
        self,
        options: LiveOptions,
        source: Source,
        *,
        models: Models,
        hub: Hub,
        controls: Controls,
        console: Console,
    ) -> None:
        self._options, self._source = options, source
        self._models, self._hub, self._controls = models, hub, controls
        self._console = console
        self._opened = Event()
        self._first_error: BaseException | None = None
        self._thread = Thread(target=self._run, name="live", daemon=True)

    def start(self) -> None:
        """Start the thread, and wait until the source is open.

        Raises:
            EdgeEmoError: If it cannot be opened.
        """
        self._thread.start()
        while not self._opened.wait(0.2):
            pass  # so that Ctrl-C is heeded
        if self._first_error is not None:
            raise self._first_error

    def stop(self) -> None:
        """End the run, and close the outputs."""
        self._controls.stop = True
        self._thread.join(4)

    def _run(self) -> None:
        while not self._controls.stop:
            try:
                run_source(
                    self._options,
                    self._source,
                    self._models.classifier,
                    controls=self._controls,
                    console=self._console,
                    others=self._begin,
                )
            except BaseException as error:  # the page says why, and the source is opened again
                if not self._opened.is_set():
                    self._first_error = error
                    self._opened.set()
                    return
                self._lose(error)
            else:
                self._hub.set_source("ended")
                return
            self._pause()

    def _begin(self) -> tuple[Output]:
        self._hub.set_source("live")
        self._opened.set()
        return (self._hub,)

    def _lose(self, error: BaseException) -> None:
        text = one_line(error)
        if self._hub.source_text != text:
            self._console.report(f"{text}; it is opened again as soon as possible")
        self._hub.set_source("lost", text)

    def _pause(self) -> None:
        end = time.monotonic() + _RETRY_S
        while not self._controls.stop and time.monotonic() < end:
            time.sleep(0.1)
