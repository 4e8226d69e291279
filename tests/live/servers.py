"""Servers of video for tests, on loopback and free ports: RTSP and MJPEG over HTTP.

Each frame carries the moment at which it was drawn as a bar code of milliseconds, so that its age
can be told wherever it arrives.
"""

from __future__ import annotations

import base64
import io
import re
import socket
import struct
import threading
import time
from contextlib import suppress
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Self

import av
from PIL import Image

from tests.live.videos import BITS, draw_code, read_code

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

_WRAP = 1 << BITS


def tell_moment() -> int:
    """Return the moment, in milliseconds, as a bar code holds it."""
    return int(time.monotonic() * 1000) % _WRAP


def measure_age_ms(luma: NDArray[np.uint8]) -> int:
    """Return the milliseconds since a frame was drawn, from its brightness."""
    return (tell_moment() - read_code(luma)) % _WRAP


class VideoServer:
    """A server that draws frames for each client at a rate; a context manager that stops it.

    Args:
        size: Width and height of the frames.
        fps: Frames per second.

    Attributes:
        port: Its port, which it keeps when it is started again.
        size: Taken anew by each frame.
        is_stalled: Whether it keeps connections and sends nothing.
        damages: Whether it overwrites what it sends.
        background: Frame, of that size, into which the bar code is drawn; None for a grey one.
        drawn: Number of frames sent, to all clients.
        clients: Number of connections so far.
    """

    def __init__(self, *, size: tuple[int, int] = (320, 240), fps: float = 30) -> None:
        self.size, self.fps = size, fps
        self.port = 0
        self.is_stalled = self.damages = False
        self.background: NDArray[np.uint8] | None = None
        self.drawn = self.clients = 0
        self._connections: list[socket.socket] = []
        self._listener: socket.socket | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen, at the port of before if there was one."""
        self._listener = listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def stop(self) -> None:
        """Close the port and every connection."""
        if self._listener is not None:
            shut(self._listener)
        for connection in self._connections:
            shut(connection)
        self._connections.clear()

    def serve(self, connection: socket.socket) -> None:
        """Serve a client until the connection is closed."""
        raise NotImplementedError

    def draw_frames(self) -> Iterator[NDArray[np.uint8]]:
        """Yield frames when they are due."""
        begun, number = time.monotonic(), 0
        while True:
            while self.is_stalled:
                time.sleep(0.01)
            yield draw_code(tell_moment(), self.size, background=self.background)
            self.drawn += 1
            number += 1
            due = begun + number / self.fps
            if due < time.monotonic() - 1:  # after a stall
                begun, number = time.monotonic(), 0
            time.sleep(max(0.0, due - time.monotonic()))

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection = listener.accept()[0]
            except OSError:
                return
            self.clients += 1
            self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            self.serve(connection)
        connection.close()


class MjpegServer(VideoServer):
    """MJPEG over HTTP."""

    @property
    def url(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self.port}/"

    def serve(self, connection: socket.socket) -> None:
        """See `VideoServer.serve`."""
        connection.recv(4096)
        connection.sendall(
            b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=F\r\n\r\n"
        )
        for frame in self.draw_frames():
            jpeg = io.BytesIO()
            Image.fromarray(frame).save(jpeg, "JPEG", quality=80)
            content = jpeg.getvalue()
            head = f"--F\r\nContent-Type: image/jpeg\r\nContent-Length: {len(content)}\r\n\r\n"
            if self.damages:
                content = content[:100] + bytes(len(content) - 100)
            connection.sendall(head.encode() + content + b"\r\n")


class RtspServer(VideoServer):
    """RTSP with H.264 in the connection itself (RFC 2326, 10.12).

    Attributes:
        refusal: Status with which it refuses all requests; empty for none.
        udp_only: Whether it refuses to send video in the connection.
    """

    refusal = ""
    udp_only = False

    @property
    def url(self) -> str:
        """Return its address, with a password."""
        return f"rtsp://user:secret@127.0.0.1:{self.port}/stream"

    def serve(self, connection: socket.socket) -> None:
        """See `VideoServer.serve`."""
        size, encoder = self.size, _open_encoder(self.size, self.fps)
        heads = [unit for unit in _encode(encoder, draw_code(0, size)) if unit[0] & 31 in (7, 8)]
        send = self._negotiate(connection, heads)
        sequence = 0
        for number, frame in enumerate(self.draw_frames()):
            if frame.shape[1::-1] != size:
                size, encoder = self.size, _open_encoder(self.size, self.fps)
            units = _encode(encoder, frame)
            for unit in units:
                content = unit[:1] + b"\xff" * (len(unit) - 1) if self.damages else unit
                mark = 0x80 if unit is units[-1] else 0
                stamp = int(number * 90000 / self.fps) & 0xFFFFFFFF
                for payload, is_last in _split(content):
                    flags = 96 | (mark if is_last else 0)
                    head = struct.pack("!BBHII", 0x80, flags, sequence & 0xFFFF, stamp, 1)
                    send(head + payload)
                    sequence += 1

    def _negotiate(self, connection: socket.socket, heads: list[bytes]) -> Any:
        """Answer requests until one is PLAY; return the function that sends a packet of RTP."""
        received, target = b"", None
        while True:
            while b"\r\n\r\n" not in received:
                received += connection.recv(4096) or _hang_up()
            raw, received = received.split(b"\r\n\r\n", 1)
            while self.is_stalled:
                time.sleep(0.01)
            request = raw.decode("latin1")
            method = request.split()[0]
            extra, body, status = "", "", self.refusal or "200 OK"
            if method == "DESCRIBE":
                sets = ",".join(base64.b64encode(unit).decode() for unit in heads)
                body = _SDP.format(sets=sets)
                extra = "Content-Type: application/sdp\r\n"
            elif method == "SETUP":
                ports = re.search(r"client_port=(\d+)-(\d+)", request)
                if ports:
                    target = ("127.0.0.1", int(ports[1]))
                    extra = f"Transport: RTP/AVP;unicast;{ports[0]};server_port=5000-5001\r\n"
                elif self.udp_only:
                    status = "461 Unsupported Transport"
                else:
                    extra = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
            if status.startswith("401"):
                extra = 'WWW-Authenticate: Basic realm="camera"\r\n'
            sequence = re.search(r"(?im)^cseq: *(\d+)", request)
            connection.sendall(
                f"RTSP/1.0 {status}\r\nCSeq: {sequence and sequence[1]}\r\nSession: 1\r\n{extra}"
                f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
            )
            if method == "PLAY" and target:
                udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                return lambda packet: udp.sendto(packet, target)
            if method == "PLAY":
                return lambda packet: connection.sendall(
                    b"$\0" + struct.pack("!H", len(packet)) + packet
                )


_SDP = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=t\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
    "a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;sprop-parameter-sets={sets}\r\n"
    "a=control:t0\r\n"
)


def shut(connection: socket.socket) -> None:
    """Close a socket, also for a thread that waits for it."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def _hang_up() -> bytes:
    raise ConnectionError


def _open_encoder(size: tuple[int, int], fps: float) -> Any:
    encoder: Any = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = *size, "yuv420p"
    encoder.time_base = Fraction(1, round(fps))
    encoder.options = {
        "tune": "zerolatency", "preset": "ultrafast", "g": "30",
        "x264-params": "repeat-headers=1:annexb=1:threads=1",
    }  # fmt: skip
    return encoder


def _encode(encoder: Any, frame: NDArray[np.uint8]) -> list[bytes]:
    """Return the units of a frame's H.264."""
    content = b"".join(map(bytes, encoder.encode(av.VideoFrame.from_ndarray(frame, "rgb24"))))
    return [unit for unit in re.split(b"\x00?\x00\x00\x01", content) if unit]


def _split(unit: bytes, size: int = 1400) -> Iterator[tuple[bytes, bool]]:
    """Yield the payloads of a unit, and whether each is the last (RFC 6184, 5.8)."""
    if len(unit) <= size:
        yield unit, True
        return
    kind, parts = unit[0], range(1, len(unit), size)
    for begin in parts:
        first, last = begin == 1, begin + size >= len(unit)
        head = (0x80 if first else 0) | (0x40 if last else 0) | (kind & 31)
        yield bytes([(kind & 0xE0) | 28, head]) + unit[begin : begin + size], last
