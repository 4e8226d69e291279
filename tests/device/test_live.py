"""``live`` of a bundle on emulated Pis, which have no video library."""

from __future__ import annotations

import json

import pytest

from emulation.processors import A53, A72


@pytest.mark.parametrize(("processor", "release"), [(A53, "bookworm"), (A72, "trixie")])
def test_a_bundle_predicts_drawn_faces(bundle, pi, processor, release):
    """With the Python that made it, and with another, which compiles its modules."""
    ran = pi(
        processor,
        bundle("int8.tflite"),
        "live",
        "test",
        "--seconds",
        "1",
        "--json",
        release=release,
    )
    assert (ran.returncode, ran.stderr.splitlines()[-1]) == (0, "source: test")
    frames = [json.loads(line) for line in ran.stdout.splitlines()]
    assert {frame["faces"][0]["label"] for frame in frames} <= {"happy", "sad", "not sure"}
