"""Why a camera of this machine cannot be opened, and what to do about it."""

from __future__ import annotations

import errno
import os
from contextlib import suppress

from edgeemo.errors import SourceError
from edgeemo.live.libav import explain
from edgeemo.utils.cameras import VideoNode, find_holders, list_video_nodes
from edgeemo.utils.text import join_and

with suppress(ImportError):  # not on Windows
    import grp
    import pwd

_KINDS = {"codec": "a codec or an image processor", "metadata": "a camera's metadata"}


def require_camera(name: str, path: str) -> None:
    """Refuse what is no camera that can be opened.

    Args:
        name: Its name in messages.
        path: Its path, links followed.

    Raises:
        SourceError: If there is no such device, it is no camera, or this user may not read it.
    """
    nodes = list_video_nodes()
    node = next((each for each in nodes if each.device == path), None)
    if node is None and not os.path.exists(path):  # noqa: PTH110
        raise SourceError(f"{name}: no such camera; {_list_others(nodes)}")
    if node is not None and (problem := find_problem(node)):
        others = "" if node.is_camera else f"; {_list_others(nodes)}"
        raise SourceError(f"{name}: {problem}{others}")
    if not os.access(path, os.R_OK | os.W_OK):
        raise SourceError(f"{name}: {explain_permission(path)}")


def find_problem(node: VideoNode) -> str:
    """Return why a node is no camera that can be opened, without opening it; "" if it may be."""
    if node.kind == "CSI camera":
        return "belongs to the Raspberry Pi camera; give csi instead: edgeemo live csi"
    if not node.is_camera:
        return f"is no camera but {_KINDS[node.kind]} ({node.name})"
    return "" if node.is_readable else explain_permission(node.device)


def explain_permission(path: str) -> str:
    """Return why this user may not read a device, with the command that changes it."""
    try:
        group = grp.getgrgid(os.stat(path).st_gid)  # noqa: PTH116
        user = pwd.getpwuid(os.getuid()).pw_name
    except (KeyError, OSError):
        return "no permission to read it"
    if user in group.gr_mem:
        return f'no permission; you are in the group "{group.gr_name}" once you log in again'
    return (
        f'no permission; you are not in the group "{group.gr_name}" '
        f"(sudo usermod -aG {group.gr_name} {user}, then log in again)"
    )


def explain_opening(error: OSError, path: str) -> str:
    """Return why a camera cannot be opened, from what the kernel says."""
    if error.errno == errno.EBUSY:
        holders = find_holders(path)
        return f"is in use by {join_and(holders)}" if holders else "is in use by another program"
    if error.errno == errno.ENOSPC:
        return (
            "the USB bus has no room for its frames (not the disk): take a smaller --size or "
            "--fps, or plug it into another port"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return explain_permission(path)
    if error.errno in (errno.ENODEV, errno.ENXIO, errno.EIO):
        return "does not answer; it may be unplugged"
    if error.errno in (errno.ENOTTY, errno.EINVAL):
        return "is no camera"
    return explain(error)


def describe_cameras(nodes: list[VideoNode]) -> list[str]:
    """Return the cameras among nodes as one names them, such as "/dev/video0 (HD Webcam)"."""
    found = [f"{node.device} ({node.name})" for node in nodes if node.kind == "USB camera"]
    return found + ["csi"] * any(node.kind == "CSI camera" for node in nodes)


def _list_others(nodes: list[VideoNode]) -> str:
    cameras = describe_cameras(nodes)
    if not cameras:
        return "no camera is connected"
    if len(cameras) == 1:
        return f"the camera is {cameras[0]}"
    return f"the cameras are {join_and(cameras)}"
