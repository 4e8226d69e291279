"""States, events and commands by way of a real broker, which goes and comes back."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from edgeemo.errors import OptionError
from edgeemo.live.controls import Controls
from edgeemo.live.observation import Event, Observation, TrackedFace
from edgeemo.live.outputs.clock import Clock
from edgeemo.live.outputs.mqtt_address import MqttAddress, MqttTopics
from edgeemo.model.container import unseal
from edgeemo.runtime.prediction import Prediction

from .brokers import Broker, Listener, wait_until

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
BASE = "edgeemo/Kuche_1"


@pytest.fixture
def broker(tmp_path):
    found = Broker(tmp_path)
    try:
        found.start()
        yield found
    finally:
        found.stop()


@pytest.fixture
def run(broker):
    """An output as a run has it, and what it reports."""
    pytest.importorskip("paho.mqtt")
    from edgeemo.live.outputs.mqtt import MqttOutput

    made = SimpleNamespace(controls=Controls(), lines=[])
    made.output = MqttOutput(
        MqttAddress.parse(broker.url()),
        name="Küche/1 #",
        spec=unseal(GOLDEN / "int8.tflite").spec,
        clock=Clock(is_live=True),
        controls=made.controls,
        report=made.lines.append,
    )
    yield made
    made.output.close()


def _face(label, score=0.75):
    found = Prediction(label=label, score=score, scores={label: score}, guess=label)
    return TrackedFace(id=1, face=None, raw=found, steady=found, since_s=0.0)


def _seen(*faces):
    return Observation(frame=SimpleNamespace(number=0, time_s=time.monotonic()), faces=faces)


def test_states_events_commands_and_goodbye(broker, run):
    listener = Listener(broker)
    listener.expect(f"{BASE}/availability", "online")
    run.output.add_observation(_seen(_face("happy")))
    listener.expect(f"{BASE}/state", '"label": "happy", "probability": 0.75, "faces": 1')
    run.output.add_event(Event(kind="changed", time_s=1.0, face=_face("sad"), previous="happy"))
    listener.expect(f"{BASE}/event", '"event": "changed"')
    assert json.loads(listener.messages[f"{BASE}/event"])["name"] == "Küche/1 #"

    listener.send(f"{BASE}/set", "pause")
    listener.expect(f"{BASE}/state", '"paused": true')
    assert run.controls.paused
    listener.send(f"{BASE}/set", "resume")
    listener.send(f"{BASE}/set", '{"threshold": 0.6}')
    listener.expect(f"{BASE}/state", '"paused": false, "threshold": 0.6')
    assert (run.controls.paused, run.controls.min_confidence) == (False, 0.6)
    for wrong in ("\x1b[2J", '{"threshold": 1}', "[1]", '{"threshold": null}', "\udcff"):
        listener.send(f"{BASE}/set", wrong.encode(errors="replace").decode())
    wait_until(lambda: len(run.lines) == 5)
    assert run.lines[0] == f"warning: {BASE}/set: '\\\\x1b[2J' is no command"
    assert (run.controls.paused, run.controls.min_confidence) == (False, 0.6)

    run.output.add_event(Event(kind="lost", time_s=2.0, text="no frame for 2 s"))
    listener.expect(f"{BASE}/availability", "offline")
    run.output.add_event(Event(kind="back", time_s=3.0, duration_s=1.0))
    listener.expect(f"{BASE}/availability", "online")
    run.output.close()
    listener.expect(f"{BASE}/availability", "offline")
    listener.close()


def test_home_assistant_finds_its_entities_again(broker, run):
    """Discovery is retained, sent again at its birth, and after the broker has forgotten it."""
    topic = "homeassistant/sensor/edgeemo_Kuche_1/label/config"
    listener = Listener(broker)
    listener.expect(topic, '"enum"')
    entity = json.loads(listener.messages[topic])
    assert entity["options"] == ["happy", "sad", "not sure", "no face"]
    assert (entity["state_topic"], entity["expire_after"]) == (f"{BASE}/state", 60)
    assert entity["device"]["name"] == "Küche/1 #"
    found = [each for each in listener.messages if each.endswith("/config")]
    assert [each.split("/")[1:4:2] for each in sorted(found)] == [
        ["number", "threshold"], ["sensor", "faces"], ["sensor", "label"],
        ["sensor", "probability"], ["switch", "pause"],
    ]  # fmt: skip
    listener.all.clear()
    listener.send("homeassistant/status", "online")
    wait_until(lambda: [name for name, _ in listener.all].count(topic) == 1)
    listener.close()

    broker.stop()
    wait_until(lambda: run.lines)
    assert run.lines[0].startswith(f"warning: mqtt://127.0.0.1:{broker.port}: ")
    began = time.monotonic()
    for _ in range(1000):  # nothing waits for it
        run.output.add_observation(_seen(_face("sad")))
    assert time.monotonic() - began < 1
    broker.start()
    again = Listener(broker)
    again.expect(topic, '"enum"')
    again.expect(f"{BASE}/state", '"label": "sad"')
    wait_until(lambda: run.lines[-1].endswith(": connected again"))
    assert len(run.lines) == 2
    again.close()


def test_states_are_few(broker, run):
    listener = Listener(broker)
    listener.expect(f"{BASE}/availability", "online")
    run.output.add_observation(_seen(_face("happy")))
    listener.expect(f"{BASE}/state", "happy")
    for number in range(300):
        run.output.add_observation(_seen(_face("happy", 0.5 + number / 1000)))
    for number in range(300):
        run.output.add_observation(_seen(_face("happy" if number % 2 else "sad")))
    time.sleep(0.6)
    run.output.add_observation(_seen())
    listener.expect(f"{BASE}/state", "no face")
    states = [text for name, text in listener.all if name == f"{BASE}/state"]
    assert 3 <= len(states) <= 7
    listener.close()


def test_a_killed_run_is_offline_by_its_will(broker, edgeemo_process):
    listener = Listener(broker)
    process = edgeemo_process("live", "test", "--name", "door", "--mqtt", broker.url("home/cams"))
    listener.expect("home/cams/door/availability", "online")
    listener.expect("home/cams/door/state", "happy")
    process.kill()
    listener.expect("home/cams/door/availability", "offline")
    listener.close()


@pytest.mark.parametrize("way", ["away", "refused"])
def test_a_broker_that_is_away_stops_nothing_and_no_message_tells_the_password(
    broker, edgeemo_process, way
):
    url = broker.url()
    if way == "away":
        broker.stop()
    else:
        url = url.replace("s3cret", "hunter2")
    process = edgeemo_process("live", "test", "--seconds", "1", "--json", "--mqtt", url)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert len(out.splitlines()) > 10
    assert f"warning: mqtt://127.0.0.1:{broker.port}: " in err
    assert err.count("trying again") == 1
    assert ("refused" if way == "away" else "Not authorized") in err
    assert "s3cret" not in out + err
    assert "hunter2" not in out + err


@pytest.mark.parametrize(
    "url",
    [
        "broker.local", "http://broker.local", "mqtt://", "mqtt://u:p4ss@host:port",
        "mqtt://u:p4#ss@host", "mqtt://u:p4ss@host/a/+/b", "mqtt://u:p4ss@host/%24SYS", "mqtt://[::1",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_refused_without_its_password(url):
    with pytest.raises(OptionError, match=r"^--mqtt must be like ") as caught:
        MqttAddress.parse(url)
    assert "p4" not in str(caught.value)


def test_addresses_and_topics():
    address = MqttAddress.parse("mqtts://u%40home:p%2Fw@[::1]/my/prefix/")
    assert (address.host, address.port, address.user, address.password) == (
        "::1", 8883, "u@home", "p/w"
    )  # fmt: skip
    assert (address.text, address.prefix) == ("mqtts://[::1]:8883", "my/prefix")
    assert MqttAddress.parse("mqtt://host").prefix == "edgeemo"
    ids = [MqttTopics.make("edgeemo", name).id for name in ("Tür 2", "../+/#", "日本", "a-b_c")]
    assert ids == ["Tur_2", "camera", "camera", "a-b_c"]
