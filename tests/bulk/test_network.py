"""A cluster of two hosts by ``ray start``, whose network is cut in the middle of a run."""

from __future__ import annotations

import csv
import os
import time
from importlib.util import find_spec

import pytest

from edgeemo.dataset import draw_faces
from tests.network import open_hosts

pytestmark = [
    pytest.mark.ray,
    pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed"),
]
_IMAGES = 6000  # seconds of work, so that the network is cut within


@pytest.fixture
def faces(tmp_path):
    """A folder of small images, of a few drawn faces."""
    drawn, folder = tmp_path / "drawn", tmp_path / "faces"
    draw_faces(drawn, count=8, size=48, seed=3)
    folder.mkdir()
    paths = sorted(drawn.glob("*/*.*"))
    for number in range(_IMAGES):
        path = paths[number % len(paths)]
        os.link(path, folder / f"{number:05}{path.suffix}")
    (folder / "none.png").write_bytes(b"no image")
    return folder


def test_a_cut_network_costs_no_image(edgeemo, faces, tmp_path):
    kept = tmp_path / "kept"
    words = ["predict", faces, "--keep", kept]
    with open_hosts(2) as (head, other):
        address = f"{head.address}:6379"
        words += ["--cluster", address]
        head.start_ray("--head", "--port", 6379, "--include-dashboard", "false")
        other.start_ray("--address", address)

        # The command is cut from its cluster.
        command = other.start_edgeemo(*words)
        wait_for_parts(kept, 1, command)
        other.cut()
        _, err = command.communicate(timeout=120)
        assert command.returncode == 1
        assert err.splitlines()[-1].startswith("error: the connection to Ray was lost")
        done = len([*kept.glob("part-*")])

        # It continues elsewhere, and the network is cut and healed before anybody gives up.
        other.end_all()
        other.connect()
        other.start_ray("--address", address)
        with (tmp_path / "rows.csv").open("w") as rows:  # a pipe would be full
            command = head.start_edgeemo(*words, "--resume", "--format", "csv", stdout=rows)
        wait_for_parts(kept, done + 1, command)
        other.cut()
        time.sleep(5)
        other.connect()
        command.communicate(timeout=240)
    here = edgeemo("predict", faces, "--format", "csv", "--workers", 1)
    assert command.returncode == here.status == 1  # one image is none
    assert drop_times((tmp_path / "rows.csv").read_text()) == drop_times(here.out)


def wait_for_parts(kept, count, command) -> None:
    """Return when so many blocks are finished."""
    while len([*kept.glob("part-*")]) < count:
        assert command.poll() is None, command.communicate()
        time.sleep(0.05)


def drop_times(text) -> list[dict[str, str]]:
    return [{**row, "ms": ""} for row in csv.DictReader(text.splitlines())]
