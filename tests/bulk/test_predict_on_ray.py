"""``edgeemo predict --cluster``: thousands of images, and a worker that is killed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time

import numpy as np
import pytest

from edgeemo.dataset.synthetic import MOODS, draw_image

pytestmark = pytest.mark.ray

_IMAGES = int(os.environ.get("EDGEEMO_RAY_IMAGES") or 2500)
"""Images of the test; 20,000 take a minute on two cores that do nothing else."""

_RATHER_DIFFERENT = 200


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A folder of thousands of images: a few hundred drawn ones under many names, one damaged."""
    folder = tmp_path_factory.mktemp("many")
    for number in range(_RATHER_DIFFERENT):
        face = draw_image(np.random.default_rng(number), MOODS[number % 2], size=32)
        face.save(folder / f"{number:05}.png")
    for number in range(_RATHER_DIFFERENT, _IMAGES):
        source = folder / f"{number % _RATHER_DIFFERENT:05}.png"
        (folder / f"{number:05}.png").hardlink_to(source)
    (folder / "01000.png").unlink()
    (folder / "01000.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder


def predict(folder, *words):
    """Start ``edgeemo predict`` of a folder by its relative path."""
    command = [sys.executable, "-m", "edgeemo", "predict", folder.name, "--model", "happy-sad"]
    return subprocess.Popen(
        [*command, "--no-faces", "--format", "csv", *words],
        cwd=folder.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def finish(process):
    """Return exit status and rows without their times."""
    out, _ = process.communicate(timeout=300)
    return process.returncode, re.sub(r"(?m),[0-9.]+(?=,[^,]*$)", "", out)


def test_a_killed_worker_loses_nothing_and_does_nothing_twice(many, cluster, tmp_path):
    kept = tmp_path / "kept"
    running = predict(many, "--cluster", cluster.address, "--keep", str(kept))
    while not [*kept.glob("part-*")] and running.poll() is None:
        time.sleep(0.1)
    cluster.kill_worker()
    status, rows = finish(running)
    assert (status, rows) == finish(predict(many))
    assert status == 1  # the damaged one
    names = re.findall(r"(?m)^\S+/(\d+)\.png,", rows)
    assert names == [f"{number:05}" for number in range(_IMAGES)]
    (kept / sorted(path.name for path in kept.glob("part-*"))[2]).unlink()
    again = predict(many, "--cluster", cluster.address, "--keep", str(kept), "--resume")
    assert finish(again) == (status, rows)
