"""Home Assistant's MQTT discovery: one retained message per entity, which then appears by itself.

The format is that of "MQTT discovery" in Home Assistant's documentation, one topic per entity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeemo import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edgeemo.live.outputs.mqtt_address import MqttTopics

BIRTH = "homeassistant/status"
"""Topic on which Home Assistant says "online" when it has started."""

EXPIRE_S = 60
"""Seconds without a state after which Home Assistant shows a sensor as unavailable."""


def describe_entities(
    topics: MqttTopics, *, name: str, labels: Sequence[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield topic and configuration of each entity of a camera.

    Args:
        topics: Topics of the camera.
        name: Its name.
        labels: All labels that its state may have.
    """
    device = {
        "identifiers": [f"edgeemo_{topics.id}"],
        "name": name,
        "manufacturer": "edgeemo",
        "model": "edgeemo live",
        "sw_version": __version__,
    }
    shared = {
        "device": device,
        "origin": {"name": "edgeemo", "sw_version": __version__},
        "availability_topic": topics.availability,
        "state_topic": topics.state,
    }
    for kind, key, own in _list_entities(topics, labels):
        unique = f"edgeemo_{topics.id}_{key}"
        entity = {**shared, **own, "unique_id": unique, "default_entity_id": f"{kind}.{unique}"}
        yield f"homeassistant/{kind}/edgeemo_{topics.id}/{key}/config", entity


def _list_entities(
    topics: MqttTopics, labels: Sequence[str]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield kind, key and own settings of each entity."""
    yield (
        "sensor",
        "label",
        {
            "name": "Label",
            "icon": "mdi:emoticon-outline",
            "device_class": "enum",
            "options": list(labels),
            "value_template": "{{ value_json.label }}",
            "json_attributes_topic": topics.state,
            "expire_after": EXPIRE_S,
        },
    )
    yield (
        "sensor",
        "probability",
        {
            "name": "Probability",
            "icon": "mdi:percent-outline",
            "unit_of_measurement": "%",
            "state_class": "measurement",
            "suggested_display_precision": 0,
            "value_template": _percent("value_json.probability"),
            "expire_after": EXPIRE_S,
        },
    )
    yield (
        "sensor",
        "faces",
        {
            "name": "Faces",
            "icon": "mdi:account-multiple",
            "state_class": "measurement",
            "value_template": "{{ value_json.faces }}",
            "expire_after": EXPIRE_S,
        },
    )
    yield (
        "switch",
        "pause",
        {
            "name": "Pause",
            "icon": "mdi:pause",
            "command_topic": topics.set,
            "payload_on": "pause",
            "payload_off": "resume",
            "state_on": "pause",
            "state_off": "resume",
            "value_template": "{{ 'pause' if value_json.paused else 'resume' }}",
        },
    )
    yield (
        "number",
        "threshold",
        {
            "name": "Confidence threshold",
            "icon": "mdi:tune-vertical",
            "entity_category": "config",
            "command_topic": topics.set,
            "command_template": '{"threshold": {{ value }}}',
            "value_template": "{{ value_json.threshold }}",
            "min": 0,
            "max": 0.99,
            "step": 0.01,
        },
    )


def _percent(value: str) -> str:
    return f"{{{{ ({value} * 100) | round(1) if {value} is not none else none }}}}"
