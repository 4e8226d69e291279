"""Runs on the emulated Pi: loads the drawn camera and does to it what happens to cameras.

It prints one JSON object of all that was seen.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import struct
import subprocess
import sys
import time
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

JOB = Path("/job")
DEVICE = "/dev/video0"
_INIT_MODULE = 105
_QUERYCTRL, _S_CTRL = 0xC0445624, 0xC008561C
_NEXT = 0x80000000


def load_camera():
    """Load the driver's modules: one camera that gives frames, and no other device."""
    kernel = ctypes.CDLL(None, use_errno=True)
    for module in sorted(JOB.glob("*.ko")):
        content = module.read_bytes()
        words = b"n_devs=1 node_types=0x1 input_types=0x0" if "vivid" in module.name else b""
        if kernel.syscall(_INIT_MODULE, content, len(content), words):
            raise OSError(ctypes.get_errno(), module.name)
    wait_for(Path(DEVICE).exists)


def set_control(name, value):
    """Set a control of the driver, such as the share of frames that it drops."""
    with Path(DEVICE).open("rb+", buffering=0) as device:
        id = 0
        while True:
            raw = bytearray(struct.pack("=II32siiiiI8x", id | _NEXT, 0, b"", 0, 0, 0, 0, 0))
            fcntl.ioctl(device, _QUERYCTRL, raw)
            id, _, found, *_ = struct.unpack("=II32siiiiI8x", raw)
            if found.rstrip(b"\0").decode() == name:
                fcntl.ioctl(device, _S_CTRL, struct.pack("=Ii", id, value))
                return


def plug(connected):
    """Plug the camera in, or pull it out."""
    name = "bind" if connected else "unbind"
    Path(f"/sys/bus/platform/drivers/vivid/{name}").write_text("vivid.0")


def wait_for(is_there, limit_s=10.0):
    """Wait until something is so; return the seconds that it took."""
    begun = time.monotonic()
    while not is_there():
        if time.monotonic() - begun > limit_s:
            raise TimeoutError
        time.sleep(0.02)
    return time.monotonic() - begun


def open_elsewhere(user=0):
    """Return what another process says that opens the camera, as another user perhaps."""
    code = (
        f"import os; os.setuid({user})\n"
        "from edgeemo.errors import SourceError\n"
        "from edgeemo.live.sources.choose import choose_source\n"
        "from edgeemo.live.sources.settings import SourceSettings\n"
        "try: choose_source('0', SourceSettings()).open()\n"
        "except SourceError as error: print(error)\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or done.stderr.strip()[-300:]


def main():
    load_camera()
    from edgeemo.errors import SourceError
    from edgeemo.live.reader import FrameReader
    from edgeemo.live.sources.choose import choose_source
    from edgeemo.live.sources.listing import list_cameras
    from edgeemo.live.sources.settings import SourceSettings

    seen, notes = {}, []
    seen["list"] = [asdict(each) for each in list_cameras().cameras]
    seen["list"][0]["formats"] = seen["list"][0]["formats"][:3]
    stream = choose_source("0", SourceSettings(note=notes.append)).open()
    frames = [stream.read() for _ in range(5)]
    seen["notes"] = notes
    seen["numbers"] = [frame.number for frame in frames]
    seen["late_s"] = time.monotonic() - frames[-1].time_s
    seen["steps_s"] = [b.time_s - a.time_s for a, b in pairwise(frames)]
    seen["size"] = list(frames[-1].pixels.size)
    luma = frames[-1].pixels.luma()
    seen["luma"] = [list(luma.shape), float(luma.std())]
    seen["mode"] = frames[-1].pixels.decode().mode
    seen["busy"] = open_elsewhere()
    stream.close()
    Path("/etc/passwd").write_text("root:x:0:0::/:\nanna:x:1000:1000::/:\n")
    Path("/etc/group").write_text("root:x:0:\nvideo:x:44:\n")
    os.chown(DEVICE, 0, 44)
    for folder in ("/", str(JOB)):
        Path(folder).chmod(0o755)
    Path(DEVICE).chmod(0o660)
    seen["forbidden"] = open_elsewhere(user=1000)
    try:
        choose_source("7", SourceSettings()).open()
    except SourceError as error:
        seen["absent"] = str(error)
    lines = []
    with FrameReader(choose_source("", SourceSettings()), report=lines.append) as reader:
        wait_for(lambda: reader.take(0.1))
        plug(False)
        seen["lost_s"] = wait_for(lambda: reader.take(0.1) is None and lines)
        plug(True)
        seen["back_s"] = wait_for(lambda: reader.take(0.1))
        set_control("Percentage of Dropped Buffers", 100)
        lines.clear()
        seen["stuck_s"] = wait_for(lambda: reader.take(0.1) is None and lines)
        seen["lines"] = list(lines)
        set_control("Percentage of Dropped Buffers", 0)
        seen["alive_s"] = wait_for(lambda: reader.take(0.1))
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
