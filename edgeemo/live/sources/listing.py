"""The cameras of this machine, what each offers, and what is wrong with it."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeemo.live.sources.camera_trouble import explain_opening, find_problem
from edgeemo.utils.cameras import VideoNode, find_holders, list_video_nodes
from edgeemo.utils.text import join_and
from edgeemo.utils.v4l2 import query_device

if TYPE_CHECKING:
    from collections.abc import Sequence

_LISTERS = ("rpicam-hello", "libcamera-hello")
_LISTER_S = 15.0
_CAMERA = re.compile(r"^(\d+) : (.+?) \[(\S+).*?\](?: \((.*)\))?$")
_MODE = re.compile(r"(\d+x\d+) \[([\d.]+) fps")


@dataclass(frozen=True, kw_only=True)
class CameraEntry:
    """A camera of this machine.

    Attributes:
        source: What names it for `edgeemo live`, such as "/dev/video0" or "csi".
        name: Name of the camera.
        driver: Name of its driver; empty where it is not known.
        formats: What it offers, such as "MJPG 640x480 30/s".
        problem: Why it cannot be used, with the remedy; empty if it can.
    """

    source: str
    name: str
    driver: str = ""
    formats: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class CameraList:
    """The cameras of this machine.

    Attributes:
        cameras: The cameras.
        others: The video nodes that are none: codecs, image processors, metadata.
    """

    cameras: tuple[CameraEntry, ...]
    others: tuple[VideoNode, ...] = ()


def list_cameras(nodes: Sequence[VideoNode] | None = None) -> CameraList:
    """Return the cameras of this machine.

    Args:
        nodes: The video nodes; by default those of this machine.
    """
    nodes = list_video_nodes() if nodes is None else nodes
    usb = [_ask(node) for node in nodes if node.kind == "USB camera"]
    others = tuple(node for node in nodes if not node.is_camera)
    has_csi = any(node.kind == "CSI camera" for node in nodes)
    entries = [entry for entry in usb if entry is not None]
    return CameraList(cameras=(*entries, *_list_pi_cameras(has_csi)), others=others)


def _ask(node: VideoNode) -> CameraEntry | None:
    """Return what a node offers; None where its driver says that it gives no frames."""
    problem = find_problem(node)
    formats: tuple[str, ...] = ()
    driver, name = node.driver, node.name
    if not problem:
        try:
            device = query_device(node.device)
        except OSError as error:
            problem = explain_opening(error, node.device)
        else:
            if not device.is_capture:
                return None
            driver, name = device.driver, device.card
            formats = tuple(size.text for size in device.sizes)
            if holders := find_holders(node.device):
                problem = f"is in use by {join_and(holders)}"
    return CameraEntry(
        source=node.device, name=name, driver=driver, formats=formats, problem=problem
    )


def _list_pi_cameras(has_node: bool) -> list[CameraEntry]:
    """Return the cameras at a Raspberry Pi's camera connectors, as its own program lists them."""
    lister = next((path for name in _LISTERS if (path := shutil.which(name))), None)
    if lister is None:
        missing = "rpicam-vid is not installed: sudo apt install rpicam-apps-lite"
        name = "Raspberry Pi camera"
        return [CameraEntry(source="csi", name=name, problem=missing)] if has_node else []
    try:
        done = subprocess.run(
            [lister, "--list-cameras"], capture_output=True, text=True, timeout=_LISTER_S,
            check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        problem = f"{lister} fails: {type(error).__name__}"
        return [CameraEntry(source="csi", name="Raspberry Pi camera", problem=problem)]
    return parse_pi_cameras(done.stdout + done.stderr)


def parse_pi_cameras(text: str) -> list[CameraEntry]:
    """Return the cameras that ``rpicam-hello --list-cameras`` prints."""
    found: list[CameraEntry] = []
    modes: list[str] = []
    for line in text.splitlines():
        if camera := _CAMERA.match(line.strip()):
            number, name, _, _ = camera.groups()
            modes = []
            source = "csi" if number == "0" else f"csi{number}"
            found.append(CameraEntry(source=source, name=name, driver="libcamera"))
        elif found:
            modes += [f"{size} {float(rate):.3g}/s" for size, rate in _MODE.findall(line)]
            last = found[-1]
            found[-1] = CameraEntry(
                source=last.source, name=last.name, driver=last.driver, formats=tuple(modes)
            )
    return found
