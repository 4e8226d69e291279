"""Messages to systemd, which started this process as a service; without it they go nowhere.

Standard library only. The protocol is that of sd_notify(3).
"""

from __future__ import annotations

import os
import time
from contextlib import suppress


class ServiceNotifier:
    """Tells systemd that the service is ready, is alive, and stops.

    Nothing here fails or waits: a message that cannot be sent is dropped.

    Args:
        address: Address of systemd's socket; "@" begins an abstract one. "" for no systemd.
        watchdog_s: Seconds within which systemd expects a sign of life; 0 for none.
    """

    def __init__(self, address: str, *, watchdog_s: float = 0.0) -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._every_s = watchdog_s / 4
        self._fed_s = float("-inf")

    @classmethod
    def from_environment(cls) -> ServiceNotifier:
        """Return the notifier that the environment tells of."""
        pid = os.environ.get("WATCHDOG_PID", "")
        is_ours = pid in ("", str(os.getpid()), str(os.getppid()))  # a bundle's child feeds, too
        microseconds = os.environ.get("WATCHDOG_USEC", "")
        watched = is_ours and microseconds.isdecimal()
        return cls(
            os.environ.get("NOTIFY_SOCKET", ""),
            watchdog_s=int(microseconds) / 1e6 if watched else 0.0,
        )

    def ready(self, text: str) -> None:
        """Say that the service is ready.

        Args:
            text: Its state, in a line that ``systemctl status`` shows.
        """
        self._send(f"READY=1\nSTATUS={text}")

    def feed(self) -> None:
        """Say that the service is alive, as often as the watchdog requires."""
        now = time.monotonic()
        if self._every_s and now - self._fed_s >= self._every_s:
            self._fed_s = now
            self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """Say that the service stops."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        import socket

        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto(message.encode(), self._address)
