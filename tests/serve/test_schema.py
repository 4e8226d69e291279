"""/openapi.json holds: schemathesis sends what it allows and what it forbids."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import TOKEN, Process

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).resolve().parents[2]


def test_the_description_is_the_truth(place):
    words = ("--token", TOKEN, "--collect", "kept", "--model", "happy-sad")
    server = Process("test", *words, cwd=place)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.serve.schema", server.url, TOKEN, "--cases", "2"],
            cwd=REPOSITORY, env={**os.environ, "PYTHONWARNINGS": "default"}, capture_output=True,
            text=True, check=False, timeout=200,
        )  # fmt: skip
    finally:
        server.stop()
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
