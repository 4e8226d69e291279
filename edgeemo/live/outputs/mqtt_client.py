"""The client of an MQTT broker: paho's, which connects in a thread of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from edgeemo.utils.text import one_line

if TYPE_CHECKING:
    from edgeemo.live.outputs.mqtt_address import MqttAddress

MAX_WAITING = 100
"""Number of messages that wait to be sent, above which further ones are dropped."""

_MAX_DELAY_S = 30
_CONNECT_S = 3.0
_KEEP_ALIVE_S = 30


class MqttClient(Client):
    """A client that knows its broker, and the reason why it cannot connect.

    Args:
        address: The broker.
        will: Topic on which the broker says "offline" when this process is gone.

    Attributes:
        reason: Why it could not connect the last time; paho tells nobody.
    """

    def __init__(self, address: MqttAddress, *, will: str) -> None:
        super().__init__(CallbackAPIVersion.VERSION2)
        self.reason = ""
        if address.is_encrypted:
            self.tls_set()
        if address.user:
            self.username_pw_set(address.user, address.password)
        self.will_set(will, "offline", qos=1, retain=True)
        self.max_queued_messages_set(MAX_WAITING)
        self.reconnect_delay_set(1, _MAX_DELAY_S)
        self.connect_timeout = _CONNECT_S
        self.connect_async(address.host, address.port, keepalive=_KEEP_ALIVE_S)

    def reconnect(self) -> MQTTErrorCode:
        """Connect; the thread calls this, again after each loss.

        Raises:
            OSError: If the broker is away.
        """
        try:
            return super().reconnect()
        except OSError as error:
            self.reason = _explain(error)
            raise


def _explain(error: OSError) -> str:
    """Return why a connection failed, in words."""
    distrust = getattr(error, "verify_message", "")  # of ssl.SSLCertVerificationError
    if distrust:
        return f"its certificate is not trusted ({distrust}): SSL_CERT_FILE names another authority"
    return (error.strerror or one_line(error)).lower()
