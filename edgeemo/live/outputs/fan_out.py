"""All outputs as one: an output that fails is closed and reported, and the others continue."""

from __future__ import annotations

import time
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING

from edgeemo.utils.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgeemo.live.observation import Event, Observation
    from edgeemo.live.outputs.base import Output

CLOSE_S = 0.9
"""Seconds in which all outputs have closed, together, after a signal."""


class FanOut:
    """An output that hands everything to others.

    Args:
        outputs: The outputs.
        report: Receives one line about an output that failed.

    Attributes:
        failed: Number of outputs that failed.
    """

    name = "outputs"

    def __init__(self, outputs: Sequence[Output], *, report: Callable[[str], None]) -> None:
        self._outputs, self._report = list(outputs), report
        self.failed = 0

    def add_observation(self, seen: Observation) -> None:
        """See `edgeemo.live.outputs.base.Output.add_observation`."""
        self._each(lambda output: output.add_observation(seen))

    def add_event(self, event: Event) -> None:
        """See `edgeemo.live.outputs.base.Output.add_event`."""
        self._each(lambda output: output.add_event(event))

    def close(self, *, wait_s: float | None = CLOSE_S) -> None:
        """Close all outputs at the same time, so that none waits for another.

        Args:
            wait_s: Seconds after which those that have not closed are reported and left alone;
                None to wait for all of them.

        Raises:
            BrokenPipeError: If nobody reads standard output any more.
        """
        closing = [_Closing(output) for output in self._outputs]
        self._outputs.clear()
        end = None if wait_s is None else time.monotonic() + wait_s
        for each in closing:
            each.thread.join(None if end is None else max(0.0, end - time.monotonic()))
        for each in closing:
            if each.thread.is_alive():
                self._fail(each.output, f"not finished after {wait_s:g} s; left as it is")
            elif isinstance(each.failure, BrokenPipeError):
                raise each.failure
            elif each.failure is not None:
                self._fail(each.output, _explain(each.failure, each.output))

    def _each(self, act: Callable[[Output], None]) -> None:
        for output in tuple(self._outputs):
            try:
                act(output)
            except BrokenPipeError:
                raise  # standard output is closed: nobody reads any more
            except Exception as error:  # an output costs itself alone
                self._outputs.remove(output)
                self._fail(output, f"{_explain(error, output)}; this output has ended")
                with suppress(Exception):
                    _Closing(output).thread.join(CLOSE_S)

    def _fail(self, output: Output, problem: str) -> None:
        self.failed += 1
        self._report(f"{output.name}: {problem}")


def _explain(error: BaseException, output: Output) -> str:
    """Return an error in one line, without the name that stands before it."""
    if not isinstance(error, OSError) or not error.strerror:
        return one_line(error)
    place = "" if error.filename in (None, output.name) else f": {error.filename}"
    return one_line(f"{error.strerror[:1].lower()}{error.strerror[1:]}{place}")


class _Closing:
    """An output that is closed in a thread of its own.

    Attributes:
        output: The output.
        thread: The thread.
        failure: Why it could not be closed.
    """

    def __init__(self, output: Output) -> None:
        self.output = output
        self.failure: BaseException | None = None
        self.thread = Thread(target=self._close, name="closing", daemon=True)
        self.thread.start()

    def _close(self) -> None:
        try:
            self.output.close()
        except BaseException as failure:  # reported by the thread that waits
            self.failure = failure
