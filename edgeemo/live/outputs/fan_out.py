"""All outputs as one: an output that fails is closed and reported, and the others continue."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from edgeemo.utils.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgeemo.live.observation import Event, Observation
    from edgeemo.live.outputs.base import Output


class FanOut:
    """An output that hands everything to others.

    Args:
        outputs: The outputs.
        report: Receives one line about an output that failed.
    """

    name = "outputs"

    def __init__(self, outputs: Sequence[Output], *, report: Callable[[str], None]) -> None:
        self._outputs, self._report = list(outputs), report

    def add_observation(self, seen: Observation) -> None:
        """See `edgeemo.live.outputs.base.Output.add_observation`."""
        self._each(lambda output: output.add_observation(seen))

    def add_event(self, event: Event) -> None:
        """See `edgeemo.live.outputs.base.Output.add_event`."""
        self._each(lambda output: output.add_event(event))

    def close(self) -> None:
        """See `edgeemo.live.outputs.base.Output.close`."""
        self._each(lambda output: output.close())
        self._outputs.clear()

    def _each(self, act: Callable[[Output], None]) -> None:
        for output in tuple(self._outputs):
            try:
                act(output)
            except BrokenPipeError:
                raise  # standard output is closed: nobody reads any more
            except Exception as error:  # an output costs itself alone
                self._outputs.remove(output)
                self._report(f"{output.name}: {one_line(error)}; this output has ended")
                with suppress(Exception):
                    output.close()
