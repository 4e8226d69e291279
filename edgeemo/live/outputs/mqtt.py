"""MQTT: states, events and commands of a camera, and its entities in Home Assistant."""

from __future__ import annotations

import json
import math
import time
from contextlib import suppress
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Any

from edgeemo.errors import SpecError
from edgeemo.live.outputs.home_assistant import BIRTH, EXPIRE_S, describe_entities
from edgeemo.live.outputs.jsonl import event_fields
from edgeemo.live.outputs.mqtt_address import MqttTopics
from edgeemo.live.outputs.mqtt_client import MAX_WAITING, MqttClient
from edgeemo.model.spec import NOT_SURE
from edgeemo.runtime.prediction import NO_FACE
from edgeemo.utils.text import escape_controls, one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeemo.live.controls import Controls
    from edgeemo.live.observation import Event, Observation, TrackedFace
    from edgeemo.live.outputs.clock import Clock
    from edgeemo.live.outputs.mqtt_address import MqttAddress
    from edgeemo.model.spec import ModelSpec

_SOON_S = 0.5
"""Shortest mean time between two states that differ, in seconds."""

_MAX_CREDIT = 4.0
"""Number of states that may be sent at once after a quiet time."""

_REPEAT_S = EXPIRE_S / 4
"""Longest time between two states, in seconds, while frames come."""

_GOODBYE_S = 1.0


class MqttOutput:
    """An output that publishes to a broker, in a thread of its own; the broker may be away.

    Args:
        address: The broker.
        name: Name of the camera.
        spec: The model's specification.
        clock: The meaning of times.
        controls: Receives commands.
        report: Receives a line when the broker is away, or a command is wrong.
    """

    def __init__(
        self,
        address: MqttAddress,
        *,
        name: str,
        spec: ModelSpec,
        clock: Clock,
        controls: Controls,
        report: Callable[[str], None],
    ) -> None:
        self.name = address.text
        self._topics = MqttTopics.make(address.prefix, name)
        self._camera, self._spec, self._clock = name, spec, clock
        self._controls, self._report = controls, report
        self._lock = Lock()
        self._waiting = 0
        self._is_away = self._is_lost = False
        self._state: dict[str, Any] = {"label": None, "probability": None, "faces": 0}
        self._sent: dict[str, Any] = {}
        self._sent_s, self._credit = -math.inf, _MAX_CREDIT
        self._client = MqttClient(address, will=self._topics.availability)
        self._start()

    def add_observation(self, seen: Observation) -> None:
        """See `edgeemo.live.outputs.base.Output.add_observation`."""
        if seen.error is None:
            self._state = _summarise(seen)
        self._send_state()

    def add_event(self, event: Event) -> None:
        """See `edgeemo.live.outputs.base.Output.add_event`."""
        self._publish(self._topics.event, event_fields(event, self._clock, name=self._camera))
        if event.kind in ("lost", "back"):
            self._is_lost = event.kind == "lost"
            self._say_availability()

    def close(self) -> None:
        """Say "offline", and disconnect."""
        client = self._client
        if client.is_connected():
            sent = client.publish(self._topics.availability, "offline", qos=1, retain=True)
            with suppress(RuntimeError, ValueError):  # the connection went just now
                sent.wait_for_publish(_GOODBYE_S)
        client.disconnect()

    def _start(self) -> None:
        """Start the thread that connects, and does so again after each loss."""
        client = self._client
        client.on_connect = self._greet
        client.on_connect_fail = lambda *_: self._note_away(client.reason)
        client.on_disconnect = self._note_disconnected
        client.on_message = self._take_message
        client.on_publish = self._count_sent
        client.loop_start()

    def _greet(self, _client: object, _user: object, _flags: object, reason: Any, *_: Any) -> None:
        """Announce the camera: after each connection, as the broker may have forgotten all."""
        if reason.is_failure:
            self._note_away(str(reason))
            return
        with self._lock:
            self._waiting = 0
        if self._is_away:
            self._is_away = False
            self._report(f"{self.name}: connected again")
        self._client.subscribe([(self._topics.set, 0), (BIRTH, 0)])
        self._announce()

    def _announce(self) -> None:
        labels = list(dict.fromkeys([*self._spec.labels, NOT_SURE, NO_FACE]))
        for topic, entity in describe_entities(self._topics, name=self._camera, labels=labels):
            self._publish(topic, entity, retain=True)
        self._say_availability()
        self._send_state(at_once=True)

    def _say_availability(self) -> None:
        text = "offline" if self._is_lost else "online"
        self._publish(self._topics.availability, text, retain=True)

    def _note_disconnected(
        self, _client: object, _user: object, _flags: object, reason: Any, *_: Any
    ) -> None:
        if reason.is_failure:
            self._note_away(str(reason).lower())

    def _note_away(self, reason: str) -> None:
        """Say once that the broker is away; the thread tries on."""
        if not self._is_away:
            self._is_away = True
            self._report(f"warning: {self.name}: {one_line(reason)}; trying again")

    def _count_sent(self, *_: object) -> None:
        with self._lock:
            self._waiting -= 1

    def _publish(self, topic: str, content: Any, *, retain: bool = False) -> None:
        """Publish a message, unless the broker is away or does not take messages any more."""
        if self._waiting >= MAX_WAITING or not self._client.is_connected():
            return
        with self._lock:
            self._waiting += 1
        payload = content if isinstance(content, str) else json.dumps(content)
        self._client.publish(topic, payload, qos=0, retain=retain)

    def _send_state(self, *, at_once: bool = False) -> None:
        """Publish the state: a new one soon, the same one now and then."""
        threshold = self._controls.min_confidence
        state = {
            **self._state,
            "paused": self._controls.paused,
            "threshold": self._spec.min_confidence if threshold is None else threshold,
        }
        age = time.monotonic() - self._sent_s
        credit = min(_MAX_CREDIT, self._credit + age / _SOON_S)
        is_new = _without_probability(state) != _without_probability(self._sent)
        if at_once or age >= _REPEAT_S or (is_new and credit >= 1):
            self._sent, self._sent_s = state, time.monotonic()
            self._credit = max(0.0, credit - 1)
            self._publish(self._topics.state, state, retain=True)

    def _take_message(self, _client: object, _user: object, message: Any) -> None:
        if message.topic == BIRTH:
            if message.payload == b"online":
                self._announce()
            return
        try:
            self._obey(message.payload.decode())
        except (ValueError, TypeError, KeyError, SpecError):
            shown = escape_controls(message.payload[:40].decode(errors="replace"))
            self._report(f"warning: {self._topics.set}: {shown!r} is no command")
        self._send_state(at_once=True)

    def _obey(self, text: str) -> None:
        """Take a command: "pause", "resume" or {"threshold": 0.5}.

        Raises:
            ValueError: If it is none; also TypeError, KeyError and SpecError.
        """
        if text.strip() in ("pause", "resume"):
            self._controls.paused = text.strip() == "pause"
            return
        threshold = float(json.loads(text)["threshold"])
        replace(self._spec, min_confidence=threshold)  # which refuses what the model cannot have
        self._controls.min_confidence = threshold


def _summarise(seen: Observation) -> dict[str, Any]:
    """Return what a state says of an observation: its largest face, and how many there are."""
    if not seen.faces:
        return {"label": NO_FACE, "probability": None, "faces": 0}
    shown = max(seen.faces, key=_area).steady
    return {
        "label": shown.label,
        "probability": round(shown.score, 3),
        "faces": len(seen.faces),
    }


def _area(face: TrackedFace) -> float:
    return face.face.box[2] * face.face.box[3] if face.face else 0.0


def _without_probability(state: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in state.items() if key != "probability"}
