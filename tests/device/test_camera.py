"""A camera of an emulated Pi, with a real driver: read, busy, forbidden, unplugged, stuck."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("av", reason="PyAV is not installed")

from emulation import camera
from emulation.processors import PROCESSORS
from emulation.root import EmulationError
from emulation.system_mode import run_steps

if TYPE_CHECKING:
    from collections.abc import Callable

    from emulation.root import Root

_REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def seen(root: Callable[[str], Root], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return all that `camera_job` saw on a Pi 4."""
    job = tmp_path_factory.mktemp("camera") / "job"
    try:
        kernel, modules = camera.make_camera_kernel()
        shutil.copytree(camera.unpack_pyav(root("bookworm")), job)
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(_REPOSITORY / "edgeemo", job / "edgeemo", ignore=ignored)
        for path in (*modules, Path(__file__).with_name("camera_job.py")):
            shutil.copy(path, job)
        words = ["python3", "/job/camera_job.py"]
        [step] = run_steps(root("bookworm"), PROCESSORS[1], job, [words], kernel=kernel)
    except EmulationError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))
    found: dict[str, Any] = json.loads(step.stdout)
    return found


def test_it_is_listed_and_read(seen: dict[str, Any]) -> None:
    assert seen["list"] == [
        {
            "source": "/dev/video0",
            "name": "vivid",
            "driver": "vivid",
            "formats": ["YUYV 320x180 60/s", "YUYV 640x360 40/s", "YUYV 640x480 25/s"],
            "problem": "",
        }
    ]
    assert seen["notes"] == ["camera: /dev/video0, vivid, YUYV 640x480 25/s"]
    assert (seen["numbers"], seen["size"], seen["mode"]) == ([0, 1, 2, 3, 4], [640, 480], "RGB")
    assert seen["luma"][0] == [480, 640]
    assert seen["luma"][1] > 20  # the colour bars
    assert seen["steps_s"] == pytest.approx([0.04] * 4, abs=0.01)
    assert 0 <= seen["late_s"] < 0.1


def test_what_is_wrong_is_told(seen: dict[str, Any]) -> None:
    assert seen["busy"].startswith("/dev/video0: is in use by python3.11 (")
    assert seen["forbidden"] == (
        '/dev/video0: no permission; you are not in the group "video" '
        "(sudo usermod -aG video anna, then log in again)"
    )
    assert seen["absent"].startswith("/dev/video7: no such camera; the camera is /dev/video0 (")


def test_it_is_lost_and_found_again(seen: dict[str, Any]) -> None:
    """When it is pulled out, and when its driver gives no frames any more."""
    assert seen["lost_s"] < 5
    assert seen["back_s"] < 3
    assert seen["stuck_s"] < 5
    assert "no frame for 2 s" in seen["lines"][0]
    assert seen["alive_s"] < 3
