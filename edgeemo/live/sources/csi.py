"""The camera of a Raspberry Pi, through the program ``rpicam-vid`` (before: ``libcamera-vid``).

It needs neither picamera2, whose module for numpy 1 numpy 2 refuses, nor a video library. Numpy,
Pillow and the standard library only.
"""

from __future__ import annotations

import os
import select
import subprocess
import time
from contextlib import suppress
from threading import Event as Flag
from threading import Lock
from typing import TYPE_CHECKING, cast

from edgeemo.errors import SourceError
from edgeemo.live.frame import Frame
from edgeemo.live.planes import PlaneLayout, PlanePixels
from edgeemo.live.sources import base
from edgeemo.utils.text import one_line

with suppress(ImportError):  # not on Windows
    import fcntl

if TYPE_CHECKING:
    from io import FileIO

    from edgeemo.live.sources.settings import SourceSettings

PROGRAMS = ("rpicam-vid", "libcamera-vid")
"""Programs that give the frames, the newest first."""

START_S = 10.0
"""Seconds within which the first frame has to come: a Pi Zero takes a few."""

_ALIGNMENT = 64
"""The bytes of a line of Y are a multiple of this (rpicam-apps #188); so is the width requested,
which makes the layout the same with and without the padding."""

_PIPE_BYTES = 1 << 20
_WAIT_MS = 200
_KEPT_BYTES = 4096
_END_S = 0.5
_LONGEST = 200

_MEANINGS = {
    "no cameras available": "no camera is connected; look at its cable, and for "
    "camera_auto_detect=1 in /boot/firmware/config.txt",
    "in use by another process": "another program uses the camera",
    "failed to acquire camera": "another program uses the camera",
    "resource busy": "another program uses the camera",
}


class PiCamera:
    """The camera of a Raspberry Pi as a source.

    Args:
        settings: The size and the frame rate.
    """

    name, is_live, is_device, can_reopen = "csi", True, True, True

    def __init__(self, settings: SourceSettings) -> None:
        self._settings = settings

    def open(self) -> PiCameraStream:
        """See `edgeemo.live.sources.base.Source.open`."""
        width, height = self._settings.size
        stride = -(-width // _ALIGNMENT) * _ALIGNMENT
        layout = PlaneLayout(size=(width, height), stride=stride)
        for program in PROGRAMS:
            with suppress(FileNotFoundError):
                process = _start(program, layout, fps=self._settings.fps)
                return PiCameraStream(process, layout, program=program)
        raise SourceError(
            f"csi: {PROGRAMS[0]} is not installed: sudo apt install rpicam-apps-lite"
            " (on a Raspberry Pi)"
        )


def _start(program: str, layout: PlaneLayout, *, fps: float) -> subprocess.Popen[bytes]:
    """Start the program that writes frames.

    Raises:
        FileNotFoundError: If it is not installed.
        SourceError: If it cannot be run.
    """
    words = [
        program, "--codec", "yuv420", "--output", "-", "--flush", "--timeout", "0", "--nopreview",
        "--width", str(layout.stride), "--height", str(layout.lines), "--framerate", f"{fps:g}",
    ]  # fmt: skip
    try:
        # A group of its own: Ctrl-C is for this process, which ends the camera in order.
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            process_group=0,
            env={"LIBCAMERA_LOG_LEVELS": "*:ERROR", **os.environ},
        )
    except FileNotFoundError:
        raise
    except OSError as error:
        raise SourceError(f"csi: {program} cannot be run: {error.strerror}") from None


class PiCameraStream:
    """The frames that a running program writes.

    Args:
        process: The program. It ends with this process, by SIGPIPE at the latest.
        layout: Layout of its frames.
        program: Its name.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], layout: PlaneLayout, *, program: str
    ) -> None:
        self._process, self._layout, self._program = process, layout, program
        self._output = cast("FileIO", process.stdout)
        self._errors = cast("FileIO", process.stderr)
        _widen_pipe(self._output)
        self._poll = select.poll()
        for pipe in (self._output, self._errors):
            os.set_blocking(pipe.fileno(), False)
            self._poll.register(pipe, select.POLLIN)
        self._error_text = b""
        self._closed, self._reading = Flag(), Lock()
        self._number = 0

    def read(self) -> Frame | None:
        """See `edgeemo.live.sources.base.FrameStream.read`."""
        content = bytearray(self._layout.frame_bytes)
        with self._reading:
            if not self._fill(memoryview(content)):
                return None
        number, self._number = self._number, self._number + 1
        pixels = PlanePixels(content, self._layout)
        return Frame(number=number, time_s=time.monotonic(), pixels=pixels)

    def close(self) -> None:
        """See `edgeemo.live.sources.base.FrameStream.close`; the program has ended then."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._process.terminate()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with self._reading:
            self._output.close()
            self._errors.close()

    def _fill(self, left: memoryview) -> bool:
        """Read a frame; return whether it is complete, which it is not after `close`.

        Raises:
            SourceError: If the program has ended, or gives nothing in time.
        """
        limit_s = base.NO_FRAME_S if self._number else START_S
        ends = time.monotonic() + limit_s
        while left and not self._closed.is_set():
            ready = {descriptor for descriptor, _ in self._poll.poll(_WAIT_MS)}
            if self._errors.fileno() in ready and not self._read_errors():
                self._poll.unregister(self._errors)
            if self._output.fileno() in ready:
                count = self._output.readinto(left)
                if count == 0:
                    raise SourceError(f"csi: {self._explain()}")
                left = left[count or 0 :]
            if left and time.monotonic() > ends:
                raise SourceError(f"csi: no frame for {limit_s:.0f} s")
        return not left

    def _read_errors(self) -> bool:
        """Keep the end of standard error; return whether there was more of it."""
        said = self._errors.read(_KEPT_BYTES) or b""
        self._error_text = (self._error_text + said)[-_KEPT_BYTES:]
        return bool(said)

    def _explain(self) -> str:
        """Return why the program has ended, in one line."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_S)
        self._read_errors()
        lines = [
            line for line in self._error_text.decode(errors="replace").splitlines() if line.strip()
        ]
        for sign, meaning in _MEANINGS.items():
            if any(sign in line.lower() for line in lines):
                return meaning
        last = next((line for line in reversed(lines) if "error" in line.lower()), "")
        said = one_line((last or (lines or [""])[-1]).replace("***", ""))[:_LONGEST]
        return f"{self._program} ended with status {self._process.returncode}: {said}"


def _widen_pipe(pipe: FileIO) -> None:
    """Have a frame fit into the pipe, so that the program need not wait for every 64 kB."""
    with suppress(OSError, AttributeError, NameError):  # a limit of the system; another system
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
