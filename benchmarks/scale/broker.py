"""Measure what a message costs an MQTT broker; mosquitto has to be installed."""

from __future__ import annotations

import socket
import subprocess
import time

from benchmarks.machine import wait_for
from benchmarks.scale.runs import STATE

MESSAGES = 50_000


def measure_broker() -> dict[str, float]:
    """Return processor µs of mosquitto for a retained state that one subscriber receives."""
    import paho.mqtt.client as mqtt

    def connect() -> mqtt.Client:
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        client.max_inflight_messages_set(0)
        client.connect("127.0.0.1", port)
        client.loop_start()
        return client

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    broker = subprocess.Popen(["mosquitto", "-p", str(port)], stderr=subprocess.DEVNULL)
    time.sleep(2)
    received = []
    reader, writer = connect(), connect()
    reader.on_message = lambda *_: received.append(1)
    reader.subscribe("edgeemo/+/state")
    time.sleep(1)
    for number in range(MESSAGES):
        writer.publish(f"edgeemo/device{number % 10_000:05d}/state", STATE, retain=True)
        if number % 1000 == 999:  # no faster than the reader, whose messages are dropped else
            while len(received) < number - 1000:
                time.sleep(0.01)
    time.sleep(3)
    for client in (reader, writer):
        client.disconnect()
        client.loop_stop()
    broker.terminate()
    usage = wait_for(broker)
    return {"broker_us": usage.cpu_ms / len(received) * 1e3, "broker_peak_mb": usage.peak_mb}
