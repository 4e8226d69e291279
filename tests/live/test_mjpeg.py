"""MJPEG over HTTP: as cameras send it, and as they fail."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
import shutil
import ssl
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from edgeemo.errors import SourceError

pytest.importorskip("av", reason="PyAV is not installed")

from edgeemo.live import outage
from edgeemo.live.reader import FrameReader
from edgeemo.live.sources import base
from edgeemo.live.sources.choose import choose_source
from edgeemo.live.sources.drawn import DrawnFaces
from edgeemo.live.sources.mjpeg import MjpegAddress, OtherContentError
from edgeemo.live.sources.settings import SourceSettings
from edgeemo.runtime.classifier import Classifier
from tests.live.servers import MjpegServer, VideoServer, measure_age_ms

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from edgeemo.live.frame import Frame

OK = "HTTP/1.1 200 OK\r\nContent-Type: {}\r\n\r\n"


@pytest.fixture(scope="module")
def jpegs() -> list[bytes]:
    """Three JPEGs with faces, whose headers differ."""
    stream, found = DrawnFaces(SourceSettings(fps=1000)).open(), []
    for options in ({"quality": 80}, {"progressive": True}, {"comment": b"--boundary\r\n"}):
        file = io.BytesIO()
        stream.read().pixels.decode().save(file, "JPEG", **options)
        found.append(file.getvalue())
    return found


class ReplyServer(VideoServer):
    """A server that sends what a function makes of a request, and hangs up."""

    def __init__(self, reply: Callable[[str], bytes]) -> None:
        super().__init__()
        self.reply, self.requests = reply, []

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    def serve(self, connection: socket.socket) -> None:
        request = connection.recv(4096).decode()
        self.requests.append(request)
        connection.sendall(self.reply(request))


def read_all(url: str) -> list[bytes]:
    """Read until the server hangs up."""
    stream, found = MjpegAddress(url).open(), []
    with pytest.raises(SourceError, match="closed the connection"):
        while (frame := stream.read()) is not None:
            found.append(frame.pixels.jpeg)
    stream.close()
    assert stream.read() is None
    return found


def _chunk(data: bytes) -> bytes:
    parts = [data[at : at + 1000] for at in range(0, len(data), 1000)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("multipart/x-mixed-replace; boundary=F", "--F\r\nContent-Length: {}\r\n\r\n", "\r\n"),
        ("multipart/x-mixed-replace;boundary=--F", "--F\r\nX: image/jpeg\r\n\r\n", "\r\n"),
        ('multipart/x-mixed-replace; boundary="a b"', "\n--a b\nContent-length:{}\n\n", "\n"),
        ("multipart/mixed", "--nobody\r\nContent-Length: 7\r\n\r\n", ""),
        ("video/x-motion-jpeg", "", ""),
    ],
)  # fmt: skip
def test_boundaries_as_cameras_send_them(jpegs, kind: str, before: str, after: str):
    parts = [before.format(len(jpeg)).encode() + jpeg + after.encode() for jpeg in jpegs]
    with ReplyServer(lambda _: OK.format(kind).encode() + b"".join(parts)) as server:
        assert read_all(f"http://{server.place}/") == jpegs
    head = OK.format(kind).replace("\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n")
    with ReplyServer(lambda _: head.encode() + _chunk(b"".join(parts))) as server:
        assert read_all(f"http://{server.place}/video?id=1&x=ä b") == jpegs
    assert server.requests[0].startswith("GET /video?id=1&x=%C3%A4%20b HTTP/1.1")


def test_prediction_is_that_of_the_file(jpegs, tmp_path):
    from edgeemo.live.pipeline import Pipeline, PipelineSettings

    classifier = Classifier.load(Path(__file__).parents[2] / "models/happy-sad")
    pipeline = Pipeline(classifier, PipelineSettings())
    with ReplyServer(lambda _: OK.format("multipart/mixed").encode() + b"".join(jpegs)) as server:
        stream = MjpegAddress(f"http://{server.place}/").open()
        for jpeg in jpegs:
            (tmp_path / "file.jpg").write_bytes(jpeg)
            expected = classifier.predict(tmp_path / "file.jpg")
            shown = pipeline.observe(stream.read())
            assert [face.raw.scores for face in shown.faces] == [expected.scores]
        stream.close()


def test_camera_that_stalls_goes_and_comes_back(monkeypatch):
    for module, name, seconds in (
        (base, "NO_FRAME_S", 0.2), (outage, "FIRST_PAUSE_S", 0.02), (outage, "MAX_PAUSE_S", 0.1),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, seconds)
    lines: list[str] = []

    def take_until(done: Callable[[Frame], bool], limit_s: float = 3.0) -> Frame:
        ends = time.monotonic() + limit_s
        while time.monotonic() < ends:
            if (frame := reader.take(0.05)) is not None and done(frame):
                return frame
        pytest.fail(f"nothing for {limit_s} s; said {lines}")

    def wait_lost() -> None:
        ends = time.monotonic() + 2
        while not any(event.kind == "lost" for event in reader.take_events()):
            reader.take(0.02)
            assert time.monotonic() < ends

    with MjpegServer() as server:
        source = choose_source(server.url.replace("//", "//me:secret@"), SourceSettings())
        with FrameReader(source, report=lines.append) as reader:
            take_until(lambda frame: frame.number >= 5)
            server.is_stalled = True
            wait_lost()
            time.sleep(0.3)
            server.is_stalled, server.size = False, (480, 320)
            frame = take_until(lambda frame: frame.pixels.size == (480, 320))
            assert measure_age_ms(frame.pixels.luma()) < 250
            server.stop()
            wait_lost()
            server.start()
            back = take_until(lambda _: True)
            assert back.number > frame.number
            server.damages = True  # costs a frame or two
            time.sleep(0.05)
            server.damages = False
            take_until(lambda later: later.number > back.number + 3)
    name = server.url
    assert [line.partition(" after")[0] for line in lines] == [
        f"{name}: lost: no frame for 0 s; it is opened again until it is back",
        f"{name}: back",
        f"{name}: lost: closed the connection; it is opened again until it is back",
        f"{name}: back",
    ]


def _refuse(challenge: str) -> bytes:
    return f"HTTP/1.1 401 No\r\nWWW-Authenticate: {challenge}\r\n\r\n".encode()


def test_user_name_and_password(jpegs):
    stream = OK.format("multipart/mixed").encode() + jpegs[0]

    def check_basic(request: str) -> bytes:
        expected = base64.b64encode(b"me:p@ss:w\xc3\xb6rd").decode()
        return (
            stream if f"Authorization: Basic {expected}" in request else _refuse('Basic realm="x"')
        )

    def check_digest(request: str) -> bytes:
        given = dict(re.findall(r'(\w+)="?([^",]*)"?', request.partition("Digest ")[2]))
        if not given:
            return _refuse('Digest realm="cam", nonce="n1", qop="auth", algorithm=MD5')

        def md5(*parts: str) -> str:
            return hashlib.md5(":".join(parts).encode()).hexdigest()

        expected = md5(
            md5("me", "cam", "p@ss:word"), "n1", given["nc"], given["cnonce"], "auth",
            md5("GET", "/video"),
        )  # fmt: skip
        return stream if given["response"] == expected else _refuse("Digest x=y")

    for check, password in ((check_basic, "p%40ss%3aw%C3%B6rd"), (check_digest, "p%40ss:word")):
        with ReplyServer(check) as server:
            assert read_all(f"http://me:{password}@{server.place}/video") == jpegs[:1]
            assert len(server.requests) == 2
            for wrong in ("", "me:secret@"):
                with pytest.raises(SourceError) as caught:
                    MjpegAddress(f"http://{wrong}{server.place}/video").open()
                assert str(caught.value) == (
                    f"http://{server.place}/video: refuses the user name or the password (401)"
                )


def test_password_goes_nowhere_else(jpegs):
    stream = OK.format("multipart/mixed").encode() + jpegs[0]
    with ReplyServer(lambda _: stream) as other:
        target = f"http://{other.place}/new"
        with ReplyServer(lambda _: f"HTTP/1.1 302 F\r\nLocation: {target}\r\n\r\n".encode()) as one:
            assert read_all(f"http://me:secret@{one.place}/") == jpegs[:1]
    assert "Authorization" not in other.requests[0]


def test_what_is_no_mjpeg():
    def say(status: str, kind: str) -> str:
        reply = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n\r\n<html>"
        with ReplyServer(lambda _: reply.encode()) as server, pytest.raises(SourceError) as caught:
            choose_source(f"http://me:secret@{server.place}/x", SourceSettings()).open()
        return str(caught.value).partition("/x: ")[2]

    assert say("404 No", "text/html") == "has no such path (404)"
    assert say("500 No", "text/html") == "answers with status 500"
    assert say("200 OK", "text/html").startswith("gives a page, not a video")
    assert say("200 OK", "image/jpeg").startswith("gives one image, not a video")
    for reply, error, text in (
        (OK.format("video/mp4"), OtherContentError, "gives video/mp4, not MJPEG"),
        ("SSH-2.0\r\n", SourceError, "does not speak HTTP"),
    ):
        server = ReplyServer(lambda _, reply=reply: reply.encode())
        with server, pytest.raises(error, match=text):
            MjpegAddress(f"http://{server.place}/x").open()
    for address, meaning in (
        (f"http://me:secret@{server.place}/", "nothing listens there"),
        ("http://me:se/cret@127.0.0.1/x", "not an address"),
        ("http://me:secret@name.invalid/", "no such host"),
    ):
        with pytest.raises(SourceError, match=meaning) as caught:
            MjpegAddress(address).open()
        assert "cret" not in str(caught.value)


def test_end_does_not_wait_for_a_silent_camera():
    with MjpegServer() as server:
        with FrameReader(MjpegAddress(server.url)) as reader:
            assert reader.take(3) is not None
            server.is_stalled = True
            time.sleep(0.1)
            begun = time.monotonic()
        assert time.monotonic() - begun < 0.3
        assert not reader._thread.is_alive()


def test_image_of_another_format_is_a_frame():
    file = io.BytesIO()
    Image.new("RGB", (64, 48)).save(file, "PNG")
    png = file.getvalue()
    with ReplyServer(lambda _: OK.format("multipart/mixed").encode() + png) as server:
        stream = MjpegAddress(f"http://{server.place}/").open()
        assert stream.read().pixels.size == (64, 48)
        stream.close()


def test_https_requires_a_certificate_that_is_trusted(jpegs, tmp_path, monkeypatch):
    if shutil.which("openssl") is None and not os.environ.get("CI"):
        pytest.skip("openssl is not installed")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 9 "
        f"-subj /CN=camera -addext subjectAltName=IP:127.0.0.1 -keyout {key} -out {certificate}"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    class SecureServer(ReplyServer):
        def serve(self, connection: socket.socket) -> None:
            with context.wrap_socket(connection, server_side=True) as secure:
                super().serve(secure)

    stream = OK.format("multipart/mixed").encode() + b"".join(jpegs)
    with SecureServer(lambda _: stream) as server:
        url = f"https://me:secret@{server.place}/"
        with pytest.raises(SourceError, match=r"/: its certificate is not trusted: name its file"):
            MjpegAddress(url).open()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert read_all(url) == jpegs
