"""The cameras of this machine, from where Linux tells; codec nodes of a Raspberry Pi are none.

Standard library only; no device is opened.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_SYSFS = Path("/sys/class/video4linux")

_CODECS = ("bcm2835-codec", "bcm2835-isp", "rpivid", "rpi-hevc-dec", "pispbe")
"""Names of the nodes of a Raspberry Pi's codecs and image processors begin like these."""

_CSI = ("unicam-image", "rp1-cfe-csi2_ch0")
"""Names of the nodes of cameras at a Raspberry Pi's camera connector: models 0 to 4, and 5."""

_CSI_OTHERS = ("unicam", "rp1-cfe")
"""Names of the other nodes of such a camera: metadata, statistics, further channels."""

NodeKind = Literal["USB camera", "CSI camera", "codec", "metadata"]


@dataclass(frozen=True)
class VideoNode:
    """A node ``/dev/videoN``.

    Attributes:
        device: Its path.
        name: Its name, as the driver gives it.
        kind: "USB camera", also of any other driver; "CSI camera", at a Raspberry Pi's camera
            connector; "codec", also an image processor; or "metadata" of a camera.
        is_readable: Whether this user may read it.
        driver: Name of its driver; empty where Linux does not tell.
    """

    device: str
    name: str
    kind: NodeKind
    is_readable: bool
    driver: str = ""

    @property
    def is_camera(self) -> bool:
        """Return whether it is a camera."""
        return self.kind in ("USB camera", "CSI camera")


def list_video_nodes(sysfs: Path = _SYSFS, dev: Path = Path("/dev")) -> list[VideoNode]:
    """Return the video nodes of this machine, by number; none where Linux tells of none.

    Args:
        sysfs: The folder of the kernel's list.
        dev: The folder of the nodes.
    """
    entries = sorted(sysfs.glob("video*"), key=lambda path: (len(path.name), path.name))
    return [_read_node(entry, dev) for entry in entries]


def _read_node(entry: Path, dev: Path) -> VideoNode:
    device, name = dev / entry.name, _read(entry / "name")
    kind = _find_kind(name, _read(entry / "index"))
    driver = os.path.basename(os.path.realpath(entry / "device" / "driver"))  # noqa: PTH119
    is_readable = os.access(device, os.R_OK | os.W_OK)
    return VideoNode(str(device), name, kind, is_readable, driver if driver != "driver" else "")


def find_holders(device: str, proc: Path = Path("/proc")) -> list[str]:
    """Return the programs that have a device open, such as "motion (812)", as far as one may see.

    Args:
        device: Its path.
        proc: The folder of the kernel's processes.
    """
    found = []
    for process in sorted(proc.glob("[0-9]*"), key=lambda path: int(path.name)):
        try:
            holds = any(str(each.readlink()) == device for each in (process / "fd").iterdir())
        except OSError:  # of another user, or it has gone
            continue
        if holds and process.name != str(os.getpid()):
            found.append(f"{_read(process / 'comm') or 'a program'} ({process.name})")
    return found


def _find_kind(name: str, index: str) -> NodeKind:
    """Return the kind of a node from its name, and its number among those of its device."""
    if name.startswith(_CODECS):
        return "codec"
    if name.startswith(_CSI):
        return "CSI camera"
    return "metadata" if name.startswith(_CSI_OTHERS) or index not in ("", "0") else "USB camera"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
