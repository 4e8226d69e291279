"""The protocol of an output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from edgeemo.live.observation import Event, Observation


class Output(Protocol):
    """Receives everything that is seen, in one thread.

    Attributes:
        name: Its name in messages, such as "--json" or the path of a file, without a password.
    """

    name: str

    def add_observation(self, seen: Observation) -> None:
        """Take an observation; one that takes longer than a few ms hands it to a thread.

        Raises:
            Exception: Any; the output is then closed, its failure reported, and the rest goes on.
        """

    def add_event(self, event: Event) -> None:
        """Take an event, after the observation with which it came.

        Raises:
            Exception: As `add_observation`.
        """

    def close(self) -> None:
        """Finish: files are complete afterwards.

        All outputs close at the same time, each in a thread of its own. After a signal, and of a
        live source, they have `edgeemo.live.outputs.fan_out.CLOSE_S` seconds.

        Raises:
            Exception: Any, which is reported.
        """
