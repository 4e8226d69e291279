"""The live run over HTTP."""

from __future__ import annotations

import json
import shutil
import socket
import struct
import time
from contextlib import ExitStack
from io import BytesIO

import pytest
import websockets.sync.client
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

from edgeemo.model.folder import shipped_folder

from ..live.servers import MjpegServer
from .conftest import Process, wait_until


class Stream:
    """A response without an end, read as it comes."""

    def __init__(self, server, path, **headers):
        self._connection = server.connect()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request("GET", path, headers=named)
        self.response = self._connection.getresponse()

    def read_event(self):
        fields = {}
        while True:
            line = self.response.fp.readline() if self.response.chunked is None else self._line()
            if line == "":
                if "data" in fields:
                    return fields
                fields = {}
                continue
            name, _, value = line.partition(": ")
            fields[name] = value

    def _line(self):
        text = b""
        while not text.endswith(b"\n"):
            text += self.response.read(1)
        return text.decode().rstrip("\n")

    def close(self):
        self._connection.close()


def watch(server):
    return websockets.sync.client.connect(f"ws://127.0.0.1:{server.port}/v1/watch")


def receive(page):
    page.send("next")
    message = page.recv(timeout=10)
    (length,) = struct.unpack("!I", message[:4])
    return json.loads(message[4 : 4 + length]), message[4 + length :]


def test_the_state_is_what_the_camera_sees(live):
    state = live.get("/v1/state").json
    assert state["source"]["state"] == "live"
    assert state["frame"]["size"] == [640, 480]
    assert abs(state["now"] - state["frame"]["time"]) < 5
    ids = {each["id"] for each in state["time_line"]}
    assert ids >= {each["id"] for each in state["frame"]["faces"]}


def test_image_and_faces_come_together_when_the_page_asks(live):
    with watch(live) as page:
        numbers = []
        for _ in range(3):
            head, image = receive(page)
            assert Image.open(BytesIO(image)).size == tuple(head["frame"]["size"])
            numbers.append(head["frame"]["number"])
            time.sleep(0.3)
        assert numbers == sorted(set(numbers))
        assert numbers[-1] - numbers[0] > 2  # what came in between was not kept for it
        assert abs(head["now"] - head["frame"]["time"]) < 2


def wait_for(page, state):
    """Ask as a page does until the source is in a state; return the seconds that it took."""
    start = time.monotonic()
    while receive(page)[0]["source"]["state"] != state:
        assert time.monotonic() - start < 15
    return time.monotonic() - start


def test_ten_pages_see_the_camera_go_and_come_back():
    with MjpegServer(fps=10) as camera, ExitStack() as stack:
        server = Process(camera.url, "--model", "happy-sad")
        stack.callback(server.stop)
        pages = [stack.enter_context(watch(server)) for _ in range(10)]
        shown = [receive(page)[0]["frame"]["number"] for page in pages]
        start = time.monotonic()
        camera.stop()
        for page in pages:
            wait_for(page, "lost")
        assert time.monotonic() - start < 5  # 3 on an idle machine
        assert server.get("/healthz").status == 503
        camera.start()
        for page, number in zip(pages, shown, strict=True):
            wait_for(page, "live")
            head, image = receive(page)
            while not image:
                head, image = receive(page)
            assert head["frame"]["number"] != number
            assert Image.open(BytesIO(image)).size == camera.size
        assert server.get("/healthz").status == 200


def test_a_million_requests_are_one(live):
    with watch(live) as page, pytest.raises(websockets.exceptions.ConnectionClosed) as ended:
        while True:
            page.send("next")
    assert ended.value.rcvd is None or ended.value.rcvd.code in (1008, 1012)
    assert live.get("/healthz").status == 200


def test_a_page_that_says_something_else_is_closed(live):
    with watch(live) as page:
        page.send("give me all")
        with pytest.raises(websockets.exceptions.ConnectionClosed) as ended:
            page.recv(timeout=5)
    assert ended.value.rcvd.code == 1003


def test_events_have_ids_and_can_be_resumed(live):
    first = Stream(live, "/v1/events")
    assert first.response.headers["Content-Type"] == "text/event-stream"
    seen = first.read_event()
    first.close()
    assert json.loads(seen["data"])["event"] == seen["event"]
    run, _, number = seen["id"].partition("-")
    for known, expected in ((f"{run}-{int(number) - 1}", seen["id"]), ("other-99", f"{run}-1")):
        again = Stream(live, "/v1/events", Last_Event_ID=known)
        assert again.read_event()["id"] == expected
        again.close()


def test_a_player_is_sent_images_and_a_slow_one_costs_the_others_nothing(live):
    slow = socket.create_connection(("127.0.0.1", live.port))
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.sendall(b"GET /v1/stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
    stream = Stream(live, "/v1/stream.mjpg")
    time.sleep(1)
    content = stream.response.read(200_000)
    times = [float(part.split(b"\r\n")[0]) for part in content.split(b"X-Timestamp: ")[1:]]
    assert len(times) > 3
    assert times == sorted(times)
    first = content.split(b"\r\n\r\n")[1]
    assert first.startswith(b"\xff\xd8\xff")
    stream.close()
    slow.close()


def test_a_snapshot_is_the_newest_image(live):
    reply = live.get("/v1/snapshot.jpg")
    assert reply.headers["Content-Type"] == "image/jpeg"
    assert Image.open(BytesIO(reply.body)).size == (640, 480)


def test_pause_and_threshold_reach_the_loop(live):
    try:
        assert live.post("/v1/state", {"paused": True, "min_confidence": 0.95}).json["paused"]
        time.sleep(0.3)
        before = live.get("/v1/state").json
        time.sleep(0.5)
        after = live.get("/v1/state").json
        assert after["observed"] == before["observed"]
        assert after["source"]["state"] == "live"
    finally:
        live.post("/v1/state", {"paused": False})
    time.sleep(1)
    state = live.get("/v1/state").json
    assert state["min_confidence"] == 0.95
    assert state["frame"]["faces"][0]["label"] in ("not sure", "neither")
    assert live.post("/v1/state", {"min_confidence": None}).json["min_confidence"] == 0


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 422),
        (b"{}", "text/plain", 415),
        (b'{"paused": 1}', "application/json", 422),
        (b'{"min_confidence": 1}', "application/json", 422),
        (b'{"speed": 9}', "application/json", 422),
        (b"[" * 50_000, "application/json", 400),
        (b" " * 70_000, "application/json", 413),
    ],
)
def test_wrong_settings_are_refused(live, body, kind, status):
    assert live.post("/v1/state", body, Content_Type=kind).status == status


def test_another_model_takes_over_and_a_damaged_one_does_not(live, place, jpeg):
    mine = place / "models" / "mine" / "float32.tflite"
    assert "mine/float32.tflite" in live.get("/v1/info").json["models"]
    try:
        before = live.get("/v1/state").json["observed"]
        assert live.post("/v1/model", {"model": "mine/float32.tflite"}).json["verified"]
        assert live.post("/v1/predict", jpeg).json["model"] == "mine/float32.tflite"
        content = bytearray(mine.read_bytes())
        content[5000] ^= 1
        mine.write_bytes(content)
        reply = live.post("/v1/model", {"model": "mine/float32.tflite"})
        assert reply.status == 422
        assert "damaged" in reply.json["detail"]
        assert str(place) not in reply.json["detail"]
        assert live.post("/v1/predict", jpeg).status == 200
        assert live.get("/v1/info").json["model"]["name"] == "mine/float32.tflite"
        wait_until(lambda: live.get("/v1/state").json["observed"] > before)
        assert live.post("/v1/model", {"model": "../../etc/passwd"}).status == 404
        assert live.post("/v1/model", {"name": "x"}).status == 422
    finally:
        assert live.post("/v1/model", {"model": "happy-sad/int8.tflite"}).status == 200


def test_a_model_file_that_is_replaced_counts_when_it_is_chosen_again(live, place, jpeg):
    folder = place / "models" / "replaced"
    shutil.copytree(shipped_folder().path, folder)
    model, other = {"model": "replaced/int8.tflite"}, folder / "float32.tflite"

    def predict():
        return live.post("/v1/predict", jpeg).json["images"][0]["faces"][0]["scores"]

    try:
        assert live.post("/v1/model", {"model": "replaced/float32.tflite"}).status == 200
        of_the_other = predict()
        assert live.post("/v1/model", model).status == 200
        before = predict()
        (folder / "int8.tflite").write_bytes(other.read_bytes())
        assert [predict() for _ in range(3)] == [before] * 3
        assert live.get("/v1/state").json["source"]["state"] == "live"
        assert live.post("/v1/model", model).json["verified"]
        assert predict() == of_the_other != before
    finally:
        assert live.post("/v1/model", {"model": "happy-sad/int8.tflite"}).status == 200
        shutil.rmtree(folder)


def test_a_face_is_kept_with_the_label_that_a_person_gives(live, place):
    frame = live.get("/v1/state").json["frame"]
    face = frame["faces"][0]["id"]
    hold = live.post("/v1/hold", {"frame": frame["number"], "face": face}).json["hold"]
    assert live.post("/v1/label", {"hold": hold, "label": "angry"}).status == 422
    file = live.post("/v1/label", {"hold": hold, "label": "sad"}).json["file"]
    assert file.startswith("sad/")
    with Image.open(place / "kept" / file) as kept:
        assert kept.mode == "RGB"
    assert live.post("/v1/label", {"hold": hold, "label": "sad"}).status == 404
    assert live.post("/v1/hold", {"frame": 0, "face": 99}).status == 404
    assert live.post("/v1/hold", {"frame": 0.5, "face": 1}).status == 422
    shutil.rmtree(place / "kept" / "sad")


def test_metrics_are_read_by_prometheus(live, jpeg):
    live.post("/v1/predict", jpeg)
    text = live.get("/metrics").body.decode()
    found = {each.name: each for each in text_string_to_metric_families(text)}
    assert found["edgeemo_source_up"].samples[0].value == 1
    assert found["edgeemo_frames"].samples[0].value > 0
    seconds = {each.name: each.value for each in found["edgeemo_prediction_seconds"].samples}
    assert seconds["edgeemo_prediction_seconds_count"] >= 1


def test_without_a_source_there_is_a_page_to_try_and_nothing_live(guarded):
    bearer = {"Authorization": "Bearer a-token-for-the-tests"}
    assert guarded.get("/v1/info", **bearer).json["source"] is None
    for path in ("/v1/events", "/v1/snapshot.jpg", "/v1/stream.mjpg"):
        reply = guarded.get(path, **bearer)
        assert (reply.status, "start 'serve SOURCE'" in reply.json["detail"]) == (404, True)
    assert guarded.get("/healthz").json == {"status": "ok", "source": "none"}
