"""Cameras of this machine, with a driver and nodes that are pretended: there is none here."""

from __future__ import annotations

import errno
import os
import stat
import struct
import subprocess
import sys
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from edgeemo.errors import SourceError
from edgeemo.live.sources import camera_trouble, choose, listing
from edgeemo.live.sources.choose import choose_source
from edgeemo.live.sources.first_camera import FirstCamera
from edgeemo.live.sources.settings import SourceSettings
from edgeemo.utils import v4l2
from edgeemo.utils.cameras import VideoNode
from edgeemo.utils.v4l2 import Device, FrameSize

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="V4L2 is of Linux")

MJPG_SIZES = (FrameSize("MJPG", 640, 480, 30), FrameSize("MJPG", 1280, 720, 30))
SMALLER = "a smaller --size may give more frames per second"
YUYV_SIZES = (FrameSize("YUYV", 640, 480, 30), FrameSize("YUYV", 1280, 720, 10))


@pytest.fixture
def nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[VideoNode]]:
    """Function (kinds): pretend that these nodes exist, as files that may be read."""

    def pretend(*kinds: str) -> list[VideoNode]:
        found = []
        for number, kind in enumerate(kinds):
            (tmp_path / f"video{number}").touch()
            name = {"USB camera": "HD Webcam", "CSI camera": "unicam-image"}.get(kind, "bcm2835")
            found.append(VideoNode(str(tmp_path / f"video{number}"), name, kind, True))  # type: ignore[arg-type]
        for module in (choose, camera_trouble, listing):
            monkeypatch.setattr(module, "list_video_nodes", lambda: found)
        return found

    return pretend


@pytest.mark.parametrize(
    ("sizes", "requested", "taken"),
    [
        (YUYV_SIZES + MJPG_SIZES, (640, 480), "MJPG 640x480 30/s"),
        (YUYV_SIZES + MJPG_SIZES, (1280, 720), "MJPG 1280x720 30/s; YUYV would give 10/s"),
        (MJPG_SIZES, (800, 600), "MJPG 640x480 30/s"),
        (YUYV_SIZES, (640, 480), "YUYV 640x480 30/s"),
        (YUYV_SIZES, (1280, 720), f"YUYV 1280x720 10/s; {SMALLER}"),
        (MJPG_SIZES[:1] + YUYV_SIZES[1:], (1280, 720), f"YUYV 1280x720 10/s; {SMALLER}"),
    ],
)  # fmt: skip
def test_mjpeg_is_preferred(
    sizes: tuple[FrameSize, ...], requested: tuple[int, int], taken: str
) -> None:
    from edgeemo.live.sources.device import choose_size, describe_choice

    settings = SourceSettings(size=requested)
    chosen = choose_size(sizes, settings)
    assert chosen is not None
    assert describe_choice(chosen, sizes, settings) == taken


def test_a_format_that_nobody_reads_is_not_taken() -> None:
    from edgeemo.live.sources.device import choose_size

    assert choose_size([FrameSize("H264", 640, 480, 30)], SourceSettings()) is None


def test_each_trouble_is_one_sentence_with_its_remedy(
    nodes: Callable[..., list[VideoNode]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nodes("USB camera", "CSI camera", "codec", "metadata")
    said = {name: _fail(tmp_path / name) for name in ("video9", "video1", "video2", "video3")}
    others = f"the cameras are {tmp_path}/video0 (HD Webcam) and csi"
    assert said == {
        "video9": f"no such camera; {others}",
        "video1": "belongs to the Raspberry Pi camera; give csi instead: edgeemo live csi",
        "video2": f"is no camera but a codec or an image processor (bcm2835); {others}",
        "video3": f"is no camera but a camera's metadata (bcm2835); {others}",
    }
    nodes()
    assert _fail(tmp_path / "video9") == "no such camera; no camera is connected"
    with pytest.raises(SourceError, match=r"^no camera is connected .* edgeemo live test$"):
        choose_source("", SourceSettings()).open()


def test_no_permission_names_the_group_and_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    group = SimpleNamespace(gr_name="video", gr_mem=["anna"])
    monkeypatch.setattr(camera_trouble.grp, "getgrgid", lambda _: group)
    user = SimpleNamespace(pw_name="otto")
    monkeypatch.setattr(camera_trouble.pwd, "getpwuid", lambda _: user)
    assert camera_trouble.explain_permission(str(tmp_path)) == (
        'no permission; you are not in the group "video" (sudo usermod -aG video otto, then log '
        "in again)"
    )
    user.pw_name = "anna"
    said = camera_trouble.explain_permission(str(tmp_path))
    assert said == 'no permission; you are in the group "video" once you log in again'


def test_a_busy_camera_names_the_program(tmp_path: Path) -> None:
    path = tmp_path / "video0"
    path.touch()
    code = "import sys; held = open(sys.argv[1]); print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        said = camera_trouble.explain_opening(OSError(errno.EBUSY, "busy"), str(path))
        holder.communicate()
    assert said.startswith("is in use by python")
    assert said.endswith(f"({holder.pid})")


def test_no_space_left_is_the_usb_bus_not_the_disk() -> None:
    said = camera_trouble.explain_opening(OSError(errno.ENOSPC, "No space left"), "/dev/video0")
    assert said.startswith("the USB bus has no room for its frames (not the disk)")


def test_the_first_camera_that_gives_a_frame_is_taken_and_kept() -> None:
    class Camera:
        is_live = is_device = can_reopen = True

        def __init__(self, name: str, *frames: object) -> None:
            self.name, self.opened, self._frames = name, 0, frames

        def open(self) -> SimpleNamespace:
            self.opened += 1
            if not self._frames:
                raise SourceError(f"{self.name}: is in use")
            return SimpleNamespace(read=iter(self._frames).__next__, close=lambda: None)

    busy, blind, good = Camera("busy"), Camera("blind", None), Camera("good", 1, 2)
    first = FirstCamera([busy, blind, good])  # type: ignore[list-item]
    assert first.open().read() == 2
    assert first.name == "good"
    first.open()
    assert (busy.opened, blind.opened, good.opened) == (1, 1, 2)
    with pytest.raises(SourceError, match=r"^busy: is in use$"):
        FirstCamera([busy, blind]).open()  # type: ignore[list-item]


def test_the_driver_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver of two formats: MJPG in two sizes at 30 and 15 a second, YUYV in a range."""
    mjpg, yuyv = (struct.unpack("<I", code)[0] for code in (b"MJPG", b"YUYV"))
    sizes = [(640, 480, 15), (1280, 720, 30)]

    def ioctl(_: int, request: int, raw: bytearray) -> int:
        head = struct.unpack_from("=5I", raw)
        if request == v4l2._QUERYCAP:
            struct.pack_into(
                "=16s32s32sIII", raw, 0, b"uvcvideo", b"HD", b"usb", 6, 1 << 31, 0x4200001
            )
            return 0
        if request == v4l2._ENUM_FMT and head[0] < 2:
            struct.pack_into("=I", raw, 44, (mjpg, yuyv)[head[0]])
            return 0
        if request == v4l2._ENUM_FRAMESIZES:
            if head[1] == yuyv:
                struct.pack_into("=I6I", raw, 8, 3, 160, 700, 2, 120, 500, 2)
                return 0
            if head[0] < 2:
                struct.pack_into("=III", raw, 8, 1, *sizes[head[0]][:2])
                return 0
        if request == v4l2._ENUM_FRAMEINTERVALS and head[1] == mjpg and head[0] == 0:
            rate = {width: fps for width, _, fps in sizes}[head[2]]
            struct.pack_into("=III", raw, 16, 1, 1, rate)
            return 0
        raise OSError(errno.EINVAL, "no more")

    monkeypatch.setattr(v4l2.fcntl, "ioctl", ioctl)
    device = v4l2.query_device("/dev/null")
    assert (device.driver, device.card, device.is_capture) == ("uvcvideo", "HD", True)
    assert [size.text for size in device.sizes] == [
        "MJPG 640x480 15/s", "MJPG 1280x720 30/s", "YUYV 320x240", "YUYV 640x480"
    ]  # fmt: skip


PI = """Available cameras
-----------------
0 : imx708_wide [4608x2592 10-bit RGGB] (/base/axi/pcie@120000/rp1/i2c@88000/imx708@1a)
    Modes: 'SRGGB10_CSI2P' : 1536x864 [120.13 fps - (768, 432)/3072x1728 crop]
                             2304x1296 [56.03 fps - (0, 0)/4608x2592 crop]
"""


def test_the_list_holds_cameras_their_formats_and_troubles(
    nodes: Callable[..., list[VideoNode]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from edgeemo.cli.output.console import echo, note
    from edgeemo.live.sources.listing_text import show_cameras

    nodes("USB camera", "CSI camera", "codec", "codec")
    device = Device("uvcvideo", "HD Webcam", True, MJPG_SIZES + YUYV_SIZES)
    monkeypatch.setattr(listing, "query_device", lambda _: device)
    monkeypatch.setattr(listing, "find_holders", lambda _: ["motion (812)"])
    monkeypatch.setattr(listing, "_LISTERS", ())
    show_cameras(listing.list_cameras(), as_json=False, echo=echo, note=note)
    assert capsys.readouterr().out == (
        f"{tmp_path}/video0  HD Webcam (uvcvideo)\n"
        "  MJPG 640x480 30/s, 1280x720 30/s\n  YUYV 640x480 30/s, 1280x720 10/s\n"
        "  problem: is in use by motion (812)\n"
        "csi  Raspberry Pi camera\n"
        "  problem: rpicam-vid is not installed: sudo apt install rpicam-apps-lite\n"
    )
    lister = tmp_path / "rpicam-hello"
    lister.write_text(f"#!/bin/sh\ncat <<'END'\n{PI}END\n")
    lister.chmod(lister.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setattr(listing, "_LISTERS", ("rpicam-hello",))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    show_cameras(listing.list_cameras(), as_json=False, echo=echo, note=note)
    shown = capsys.readouterr()
    assert "csi  imx708_wide (libcamera)\n  1536x864 120/s, 2304x1296 56/s\n" in shown.out
    assert shown.err == "2 other nodes (no cameras: bcm2835)\n"


def test_frames_of_mjpeg_are_kept_as_jpegs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nodes: Callable[..., list[VideoNode]]
) -> None:
    """A video file stands for the device; the kernel's time stamp is of another clock."""
    av = pytest.importorskip("av", reason="PyAV is not installed")
    from edgeemo.live.sources import device
    from tests.live.videos import write_video

    [node] = nodes("USB camera")
    video = write_video(tmp_path / "v.avi", codec="mjpeg", pixels="yuvj420p", frames=3)
    given: dict[str, object] = {}

    def open_av(path: str, **options: object) -> object:
        given.update(options)
        return av.open(str(video))

    monkeypatch.setattr(device, "open_av", open_av)
    offer = Device("uvcvideo", "HD Webcam", True, MJPG_SIZES + YUYV_SIZES)
    monkeypatch.setattr(device, "query_device", lambda _: offer)
    notes: list[str] = []
    settings = SourceSettings(size=(1280, 720), note=notes.append)
    stream = device.CameraDevice(node.device, settings).open()
    frame = stream.read()
    stream.close()
    assert frame is not None
    assert frame.pixels.jpeg is not None
    assert abs(frame.time_s - time.monotonic()) < 1
    assert given["options"] == {
        "input_format": "mjpeg", "video_size": "1280x720", "framerate": "30"
    }  # fmt: skip
    assert notes == [f"camera: {node.device}, HD Webcam, MJPG 1280x720 30/s; YUYV would give 10/s"]


def _fail(path: Path) -> str:
    from edgeemo.live.sources.device import CameraDevice

    with pytest.raises(SourceError) as caught:
        CameraDevice(str(path), SourceSettings()).open()
    return str(caught.value).removeprefix(f"{path}: ")
