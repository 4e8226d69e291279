"""The address of an MQTT broker, and the topics of a camera. Standard library only."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from edgeemo.errors import OptionError

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_RULE = "--mqtt must be like mqtts://user:password@host:8883/prefix"
_PREFIX = "edgeemo"


@dataclass(frozen=True, kw_only=True)
class MqttAddress:
    """Address of a broker.

    Attributes:
        host: Its name or IP address.
        port: Its port.
        is_encrypted: Whether to use TLS.
        user: Name of the user; empty for none.
        password: Its password.
        prefix: First part of every topic.
    """

    host: str
    port: int
    is_encrypted: bool
    user: str
    password: str
    prefix: str

    @classmethod
    def parse(cls, url: str) -> MqttAddress:
        """Return the address that a URL tells; special characters in it are quoted, as "%40".

        Raises:
            OptionError: If it tells none; the text does not repeat it, since it may hold a
                password.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise OptionError(f"{_RULE}: the host or the port is wrong") from None
        prefix = unquote(parts.path).strip("/") or _PREFIX
        if parts.scheme not in _PORTS or not parts.hostname or parts.query or parts.fragment:
            raise OptionError(
                f"{_RULE}; quote special characters of the password, such as # as %23"
            )
        if re.search(r"[+#\x00-\x1f]", prefix) or prefix.startswith("$"):
            raise OptionError(f"{_RULE}: the prefix may not have +, # or begin with $")
        return cls(
            host=parts.hostname,
            port=_PORTS[parts.scheme] if port is None else port,
            is_encrypted=parts.scheme == "mqtts",
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            prefix=prefix,
        )

    @property
    def text(self) -> str:
        """Return the address as messages show it, without user and password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.is_encrypted else 'mqtt'}://{host}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class MqttTopics:
    """Topics of a camera.

    Attributes:
        id: The camera's name as topics have it: letters, digits, "-" and "_".
        availability: "online" or "offline", retained.
        state: The present state as JSON, retained.
        event: Each event as JSON.
        set: Commands.
    """

    id: str
    availability: str
    state: str
    event: str
    set: str

    @classmethod
    def make(cls, prefix: str, name: str) -> MqttTopics:
        """Return the topics of a camera.

        Args:
            prefix: First part of every topic.
            name: The camera's name, any text.
        """
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
        id = re.sub(r"[^A-Za-z0-9_-]+", "_", plain).strip("_") or "camera"
        base = f"{prefix}/{id}"
        return cls(
            id=id,
            availability=f"{base}/availability",
            state=f"{base}/state",
            event=f"{base}/event",
            set=f"{base}/set",
        )
